//! Inputs whose bytes come as they are made: they are read beside the run, and whoever wants them need not wait.

use std::io::{self, Read};
use std::time::Duration;

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError, bounded};

/// The size of a block.
const BLOCK: usize = 64 << 10;
/// How many blocks are read ahead: a producer that is faster than the program waits.
const AHEAD: usize = 16;

type Block = io::Result<Vec<u8>>;

/// The reading end. [`Read::read`] is [`WouldBlock`](io::ErrorKind::WouldBlock) where there is nothing yet.
pub(crate) struct LiveReader {
    blocks: Receiver<Block>,
    block: Vec<u8>,
    at: usize,
}

impl LiveReader {
    /// Reads `beside` the run, in work that ends with the input, or when nobody wants its blocks any more.
    pub(crate) fn new(mut reader: Box<dyn Read + Send>, beside: impl FnOnce(Box<dyn FnOnce() + Send>)) -> Self {
        let (send, blocks) = bounded(AHEAD);
        beside(Box::new(move || read_all(&mut reader, &send)));
        Self { blocks, block: vec![], at: 0 }
    }

    /// By which its blocks can be waited for.
    pub(crate) fn arrivals(&self) -> Receiver<Block> {
        self.blocks.clone()
    }
}

fn read_all(reader: &mut dyn Read, send: &Sender<Block>) {
    loop {
        let mut block = vec![0; BLOCK];
        let read = match reader.read(&mut block) {
            Ok(0) => return,
            Ok(read) => {
                block.truncate(read);
                Ok(block)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // That there is nothing yet is said by the reading end alone.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::Error::other(error)),
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if send.send(read).is_err() || failed {
            return;
        }
    }
}

impl Read for LiveReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            match self.blocks.try_recv() {
                Ok(block) => (self.block, self.at) = (block?, 0),
                Err(TryRecvError::Empty) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryRecvError::Disconnected) => return Ok(0),
            }
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let read = rest.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..read), rest.get(..read)) {
            into.copy_from_slice(from);
        }
        self.at += read;
        Ok(read)
    }
}

/// What is waited for: per input, its blocks, if it is live.
#[derive(Default)]
pub(crate) struct Arrivals {
    inputs: Vec<Option<Receiver<Block>>>,
}

impl Arrivals {
    /// Adds an input.
    pub(crate) fn add(&mut self, of: Option<&LiveReader>) {
        self.inputs.push(of.map(LiveReader::arrivals));
    }

    /// Waits until one of these inputs, by their places, has a block or has ended, or for so long at most.
    pub(crate) fn wait(&self, inputs: &[usize], at_most: Option<Duration>) {
        let mut select = Select::new();
        for receiver in inputs.iter().filter_map(|at| self.inputs.get(*at)?.as_ref()) {
            select.recv(receiver);
        }
        match at_most {
            Some(at_most) => {
                let _ = select.ready_timeout(at_most);
            }
            None => {
                select.ready();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    /// Hands out what it is sent, a piece for each read.
    struct Pieces(Receiver<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Ok(piece) = self.0.recv() else { return Ok(0) };
            into[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn wait_for(arrivals: &Arrivals) {
        arrivals.wait(&[0], None);
    }

    #[test]
    fn what_is_not_there_is_not_waited_for() {
        let (send, pieces) = bounded(4);
        let mut reader = LiveReader::new(Box::new(Pieces(pieces)), |work| {
            std::thread::spawn(work);
        });
        let mut arrivals = Arrivals::default();
        arrivals.add(Some(&reader));
        let mut text = [0; 3];
        assert_eq!(reader.read(&mut text).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        arrivals.wait(&[0], Some(Duration::from_millis(1)));
        send.send(b"abcd").unwrap();
        wait_for(&arrivals);
        assert_eq!((reader.read(&mut text).unwrap(), &text), (3, b"abc"));
        assert_eq!((reader.read(&mut text).unwrap(), text[0]), (1, b'd'));
        assert_eq!(reader.read(&mut text).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(send);
        wait_for(&arrivals);
        assert_eq!(reader.read(&mut text).unwrap(), 0);
    }
}
