//! The command line of a standalone program: flags, files, summary.
//!
//! [`main`] is the whole `main` of a built binary; [`run`] is the same without a process, over a [`Host`].

mod failure;
mod host;
mod options;
mod outputs;
mod progress;
mod summary;

pub use failure::Failure;
pub use host::{Bar, Host, Opened, Process};
pub use options::{Options, Progress, Stats};
pub use summary::Summary;

use std::process::ExitCode;
use std::time::Duration;

use self::failure::shown;
use self::outputs::{Outputs, is_closed_pipe};
use crate::input::{Arrivals, Decoded, Decoder, Feed, Invalid, Item, LiveReader, Merge, Position, Refusals, Rejected, Source, ValueBuffer, refused};
use crate::program::{Instance, Params, Program, Schema};
use crate::value::Value;

/// Runs the program as the process's command line says.
///
/// The exit code is 0 if the run went through (and, with `--strict`, nothing was refused), 1 if the data was refused or a file failed, 2 if
/// the command line is wrong. If the reader of stdout goes away, the run ends quietly with 0.
pub fn main<P: Program>() -> ExitCode {
    let options = match Options::parse_for::<P>(Process::arguments()) {
        Ok(options) => options,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    ExitCode::from(execute(P::with_params, &options, &Process::default()))
}

/// Makes an instance, runs it and reports how it went; the result is the exit code.
pub fn execute<P: Instance>(make: impl FnOnce(&Params) -> Result<P, String>, options: &Options, host: &dyn Host) -> u8 {
    let mut messages = progress::Messages::new(host.messages());
    let summary = match run(make, options, host) {
        Ok(summary) => summary,
        Err(failure) => {
            messages.line(&format!("error: {failure}"));
            return failure.exit_code();
        }
    };
    if summary.closed {
        return 0;
    }
    match options.stats {
        Stats::Text => messages.line(&summary.text()),
        Stats::Json => messages.line(&summary.json()),
        Stats::None => {}
    }
    for broken in &summary.broken {
        messages.line(&format!("error: {broken}"));
    }
    u8::from(!summary.broken.is_empty() || (options.strict && summary.refused()))
}

/// Runs a program over its inputs to their ends.
///
/// # Errors
/// The options make no sense, or a file cannot be opened, read or written. That the reader of stdout went away is no failure: see [`Summary::closed`].
pub fn run<P: Instance>(make: impl FnOnce(&Params) -> Result<P, String>, options: &Options, host: &dyn Host) -> Result<Summary, Failure> {
    let start = host.now();
    options.check_files(host)?;
    let mut program = make(&options.params()?).map_err(Failure::Usage)?;
    let opened = open(options, host)?;
    let mut run = Run { out: Outputs::create(options, &program.schema(), host)?, host, events: 0, skipped: 0 };
    if options.progress == Progress::Auto {
        let length = opened.iter().map(|(_, opened)| opened.length).sum();
        run.out.messages.show_bar(host.progress(options.output.as_deref().unwrap_or("-"), length));
    }
    let idle = program.schema().events.iter().filter_map(|event| event.idle).max().map(|ns| Duration::from_nanos(ns.unsigned_abs()));
    let waits = idle.is_some() || program.machine_deadline().is_some();
    let mut inputs = Inputs { feeds: vec![], idle, arrivals: Arrivals::default(), is_live: false };
    for (name, opened) in opened {
        inputs.add(name, opened, waits, options, &program.schema(), &run);
    }
    let driven = run.drive(&mut program, inputs);
    if driven.is_ok() && !run.out.failed() {
        program.finish(&mut run.out);
    }
    // What was published before an input failed is written all the same.
    let closed = match run.out.finish() {
        Ok(()) => false,
        Err(failure) if is_closed_pipe(&failure) => true,
        Err(failure) => return Err(driven.err().unwrap_or(failure)),
    };
    let broken = driven?;
    let out = &run.out;
    Ok(Summary {
        read: run.events + run.skipped + out.invalid_count(),
        consumed: run.events.saturating_sub(out.late_count()),
        skipped: run.skipped,
        late: out.late_count(),
        invalid: out.invalid_count(),
        rows: out.row_count(),
        streams: program.schema().streams.iter().map(|stream| stream.name.to_string()).zip(out.rows_by_stream()).collect(),
        errors: out.error_count(),
        counters: program.counters().named,
        elapsed: host.now().saturating_sub(start),
        broken,
        closed,
    })
}

fn open(options: &Options, host: &dyn Host) -> Result<Vec<(String, Opened)>, Failure> {
    let open = |name: String| match host.open(&name) {
        Ok(opened) => Ok((name, opened)),
        Err(error) => Err(Failure::Input { name, error }),
    };
    options.inputs().into_iter().map(open).collect()
}

/// What a run reads.
struct Inputs {
    feeds: Vec<Feed>,
    /// After how long without a record one is left out.
    idle: Option<Duration>,
    arrivals: Arrivals,
    /// Whether one is read by a thread of its own, so that the program can do something meanwhile.
    is_live: bool,
}

impl Inputs {
    /// Adds an input; if it is live and the program `waits`, nobody waits in a read.
    fn add(&mut self, name: String, opened: Opened, waits: bool, options: &Options, schema: &Schema<'_>, run: &Run) {
        let format = options.format_of(&name);
        let mut reader = run.out.messages.counted(opened.reader);
        let live = waits && opened.live;
        if live {
            let beside = LiveReader::new(reader, |work| run.host.beside(work));
            self.arrivals.add(Some(&beside));
            self.is_live = true;
            reader = Box::new(beside);
        } else {
            self.arrivals.add(None);
        }
        self.feeds.push(Feed {
            name: shown(&name, "stdin").to_owned(),
            source: Source::new(reader, format.framing()),
            decoder: Decoder::new(format, schema.events, &options.decoding()),
            live,
        });
    }
}

/// A run on its way.
struct Run<'h> {
    out: Outputs<'h>,
    host: &'h dyn Host,
    /// Events given to the program.
    events: u64,
    skipped: u64,
}

impl Run<'_> {
    /// Reads the inputs to their ends, or until writing fails. The result names the inputs that broke off.
    fn drive<P: Instance>(&mut self, program: &mut P, inputs: Inputs) -> Result<Vec<String>, Failure> {
        let Inputs { mut feeds, idle, arrivals, is_live } = inputs;
        if let ([feed], false) = (feeds.as_mut_slice(), is_live) {
            self.read_one(program, feed).map_err(|error| Failure::Input { name: feed.name.clone(), error })?;
            return Ok(broken(feeds.iter()));
        }
        let names: Vec<String> = feeds.iter().map(|feed| feed.name.clone()).collect();
        let mut merge = Merge::new(feeds, idle);
        self.read_merged(program, &mut merge, &arrivals)
            .map_err(|(index, error)| Failure::Input { name: names.get(index).cloned().unwrap_or_default(), error })?;
        Ok(broken(merge.feeds()))
    }

    fn read_one<P: Instance>(&mut self, program: &mut P, feed: &mut Feed) -> std::io::Result<()> {
        let Feed { name, source, decoder, .. } = feed;
        let mut buffer = ValueBuffer::default();
        loop {
            while let Some(item) = source.buffered() {
                match item {
                    Item::Record(position, record) => {
                        let mut values = buffer.take();
                        let decoded = decoder.decode(record, &mut values);
                        if let Decoded::Event { event, ts } = decoded {
                            self.events += 1;
                            program.event(event, ts, &values, &mut self.out);
                        }
                        buffer.give_back(values);
                        match decoded {
                            Decoded::Event { .. } | Decoded::Nothing => {}
                            Decoded::Skipped => self.skipped += 1,
                            Decoded::Invalid(invalid) => match decoder.rejected(record, &|event, values, read| program.rejects(event, values, read)) {
                                Some(rejected) => self.rejected(program, &rejected),
                                None => self.out.invalid(name, position, invalid, record),
                            },
                        }
                    }
                    Item::Refused(position, reason, record) => self.out.invalid(name, position, refused(reason), record),
                }
                if self.out.failed() {
                    return Ok(());
                }
            }
            program.tick(&mut self.out);
            self.out.flush_rows();
            if self.out.failed() || !source.refill()? {
                return Ok(());
            }
        }
    }

    fn read_merged<P: Instance>(&mut self, program: &mut P, merge: &mut Merge, arrivals: &Arrivals) -> Result<(), (usize, std::io::Error)> {
        let mut buffer = ValueBuffer::default();
        while let Some(head) = merge.next(&mut Merged { run: self, program, arrivals })? {
            let mut values = buffer.take();
            head.held.fill(&mut values);
            match head.read.as_deref().and_then(|read| Some((read, program.schema().events.get(head.event)?.clone()))) {
                None => {
                    self.events += 1;
                    program.event(head.event, head.ts, &values, &mut self.out);
                    buffer.give_back(values);
                }
                Some((read, schema)) => self.rejected(program, &Rejected { event: head.event, schema: &schema, ts: head.ts, values, read }),
            }
            if self.out.failed() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// An event whose first fields reject it.
    #[cold]
    fn rejected<P: Instance>(&mut self, program: &mut P, rejected: &Rejected<'_>) {
        self.events += 1;
        program.rejected(rejected, &mut self.out);
    }
}

/// A run while its inputs are merged.
struct Merged<'r, 'h, P> {
    run: &'r mut Run<'h>,
    program: &'r mut P,
    arrivals: &'r Arrivals,
}

impl<P: Instance> Refusals for Merged<'_, '_, P> {
    fn skipped(&mut self) {
        self.run.skipped += 1;
    }
    fn invalid(&mut self, input: &str, position: Position, invalid: Invalid, record: &[u8]) {
        self.run.out.invalid(input, position, invalid, record);
    }
    fn rejects(&self, event: usize, values: &[Value<'_>], read: &[bool]) -> bool {
        self.program.rejects(event, values, read)
    }
    fn before_read(&mut self) {
        self.program.tick(&mut self.run.out);
        self.run.out.flush_rows();
    }
    fn now(&self) -> Duration {
        self.run.host.now()
    }
    fn wait(&mut self, inputs: &[usize], at_most: Option<Duration>) {
        // Windows by the machine's time fire although nothing comes.
        let due = self.program.machine_deadline().filter(|due| *due != i64::MAX);
        let due = due.map(|due| Duration::from_nanos(u64::try_from(due.saturating_sub(self.run.host.wall_clock())).unwrap_or(0)));
        let at_most = at_most.into_iter().chain(due).min();
        self.arrivals.wait(inputs, at_most);
    }
}

fn broken<'f>(feeds: impl Iterator<Item = &'f Feed>) -> Vec<String> {
    feeds.filter_map(|feed| feed.source.broken().map(|error| format!("{}: the compressed input is broken: {error}", feed.name))).collect()
}
