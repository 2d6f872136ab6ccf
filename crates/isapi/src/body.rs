//! The body of the upload: read and hashed on its own thread while the connection sends what was read
//! before, the last block held back.
//!
//! A recorder that has not got the last block cannot have the firmware. So that block leaves only once
//! the SHA-256 of everything, itself included, is the expected one, and never after the recorder has
//! answered: [`Gate`] settles both in one atomic step, and what it settled is the proof that the run
//! reasons with. Memory is constant: twice [`QUEUE`] chunks besides what the connection buffers.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use firmware::Sha256Digest;
use http_body::{Frame, SizeHint};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot, watch};

use crate::package::Package;
use crate::upload::UploadProgress;

/// Bytes held back at the end, and read and hashed at once: 64 KiB hashes fastest (reference: crates §1).
pub(crate) const BLOCK: usize = 64 * 1024;
/// Bytes handed to the connection at once. In 256 MiB the connection waited for its next bytes 7000 times
/// with 64 KiB, and waits 2100 times with this.
const CHUNK: usize = 4 * BLOCK;
/// Chunks read ahead of the connection.
const QUEUE: usize = 4;

/// Whether the last block left.
#[derive(Debug, Default)]
struct Gate(AtomicU8);

const HELD: u8 = 0;
const RELEASED: u8 = 1;
const SHUT: u8 = 2;

impl Gate {
    fn settle(&self, to: u8) -> u8 {
        match self.0.compare_exchange(HELD, to, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => to,
            Err(settled) => settled,
        }
    }
}

/// Whether the last block may leave. A run writes down that it is about to, before it does: then what it
/// has not written down has not happened.
#[derive(Debug)]
pub struct Permit(Option<oneshot::Receiver<()>>);

/// Gives a [`Permit`] its consent; dropped, it withholds it for good.
#[derive(Debug)]
pub struct Consent(oneshot::Sender<()>);

impl Permit {
    /// It may leave at once.
    pub fn given() -> Self {
        Self(None)
    }

    /// It waits for consent. That it is waiting is told by [`UploadProgress::waiting`].
    pub fn to_be_asked() -> (Self, Consent) {
        let (consent, permit) = oneshot::channel();
        (Self(Some(permit)), Consent(consent))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let Some(permit) = &mut self.0 else { return Poll::Ready(true) };
        let given = ready!(Pin::new(permit).poll(cx)).is_ok();
        if given {
            self.0 = None;
        }
        Poll::Ready(given)
    }
}

impl Consent {
    /// Lets the last block go.
    pub fn give(self) {
        // an upload that is over needs none
        let _ = self.0.send(());
    }
}

/// Why the body broke off by itself.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The last block was not permitted to leave.
    Withheld,
    /// What was read is not what was approved.
    Digest(Sha256Digest),
    /// The file cannot be read to its end.
    Read(io::Error),
}

/// What is known about a body from outside the connection that sends it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watcher(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    gate: Gate,
    fault: OnceLock<Fault>,
}

impl Watcher {
    /// Forbids the last block from now on; whether it had left before.
    pub(crate) fn shut(&self) -> bool {
        self.0.gate.settle(SHUT) == RELEASED
    }

    /// Why the body broke off, if it did.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.0.fault.get()
    }
}

enum Block {
    Free(Bytes),
    Last(Bytes),
}

/// The body, of known length.
pub(crate) struct HeldBody {
    blocks: mpsc::Receiver<Result<Block, Fault>>,
    progress: watch::Sender<UploadProgress>,
    watcher: Watcher,
    permit: Permit,
    /// The last block, while it waits for its permit.
    held: Option<Bytes>,
    left: u64,
}

impl HeldBody {
    /// Starts reading. Must be called within a Tokio runtime.
    pub(crate) fn start(
        package: &Package,
        progress: watch::Sender<UploadProgress>,
        permit: Permit,
    ) -> io::Result<(Self, Watcher)> {
        let (file, size, expected) = (package.file.try_clone()?, package.size, package.sha256);
        let (sender, blocks) = mpsc::channel(QUEUE);
        tokio::task::spawn_blocking(move || {
            if let Err(fault) = read(&file, size, expected, &sender) {
                // nobody listens any more where the connection is gone
                let _ = sender.blocking_send(Err(fault));
            }
        });
        let watcher = Watcher::default();
        Ok((Self { blocks, progress, watcher: watcher.clone(), permit, held: None, left: size }, watcher))
    }

    /// The next block, and whether it is the last.
    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(Bytes, bool), Fault>>> {
        if self.held.is_none() {
            match ready!(self.blocks.poll_recv(cx)) {
                Some(Ok(Block::Free(block))) => return Poll::Ready(Some(Ok((block, false)))),
                Some(Ok(Block::Last(block))) => self.held = Some(block),
                Some(Err(fault)) => return Poll::Ready(Some(Err(fault))),
                None => return Poll::Ready(None),
            }
            self.progress.send_modify(|p| p.waiting = true);
        }
        if !ready!(self.permit.poll(cx)) {
            return Poll::Ready(Some(Err(Fault::Withheld)));
        }
        Poll::Ready(self.held.take().map(|block| Ok((block, true))))
    }
}

/// Reads by position: the descriptor's own offset is shared and a second sending starts again.
fn read(
    file: &File,
    size: u64,
    expected: Sha256Digest,
    to: &mpsc::Sender<Result<Block, Fault>>,
) -> Result<(), Fault> {
    let mut reading = Reading { file, at: 0, hasher: Sha256::new(), sent: VecDeque::new() };
    let free = size.saturating_sub(BLOCK as u64);
    while reading.at < free {
        let chunk = reading.next(free - reading.at).map_err(Fault::Read)?;
        if to.blocking_send(Ok(Block::Free(chunk))).is_err() {
            return Ok(());
        }
    }
    let last = reading.next(size - free).map_err(Fault::Read)?;
    let found = Sha256Digest::from(reading.hasher);
    if found != expected {
        return Err(Fault::Digest(found));
    }
    let _ = to.blocking_send(Ok(Block::Last(last)));
    Ok(())
}

/// A file on its way through the hash.
struct Reading<'a> {
    file: &'a File,
    at: u64,
    hasher: Sha256,
    /// The newest chunks: memory that was sent is used again, since every new page costs a fault.
    sent: VecDeque<Bytes>,
}

impl Reading<'_> {
    /// The next chunk, of at most so many bytes.
    fn next(&mut self, left: u64) -> io::Result<Bytes> {
        let mut chunk = self.memory(usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK)));
        for block in chunk.chunks_mut(BLOCK) {
            self.file.read_exact_at(block, self.at)?;
            self.hasher.update(&*block);
            self.at += block.len() as u64;
        }
        let chunk = chunk.freeze();
        self.sent.push_back(chunk.clone());
        Ok(chunk)
    }

    /// So many bytes, whatever is in them.
    fn memory(&mut self, length: usize) -> BytesMut {
        let oldest = if self.sent.len() < 2 * QUEUE { None } else { self.sent.pop_front() };
        match oldest.map(Bytes::try_into_mut) {
            Some(Ok(mut sent)) if sent.len() >= length => {
                sent.truncate(length);
                sent
            }
            // there is none yet, or the connection still holds it
            _ => BytesMut::zeroed(length),
        }
    }
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let aborted = |why| Poll::Ready(Some(Err(io::Error::other(why))));
        let (block, last) = match ready!(self.poll_block(cx)) {
            Some(Ok(block)) => block,
            Some(Err(fault)) => {
                // set once: the channel carries one fault and ends
                let _ = self.watcher.0.fault.set(fault);
                return aborted("firmware file changed, cannot be read, or is not to be sent whole");
            }
            None => return aborted("reading the firmware file ended early"),
        };
        if last && self.watcher.0.gate.settle(RELEASED) != RELEASED {
            return aborted("last block is not sent after an answer");
        }
        self.left -= block.len() as u64;
        self.progress.send_modify(|p| {
            p.handed += block.len() as u64;
            p.released = last;
            p.waiting = false;
        });
        Poll::Ready(Some(Ok(Frame::data(block))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http_body::Body;

    use super::*;

    fn package(bytes: &[u8], digest: Sha256Digest) -> Package {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Package::new(file, bytes.len() as u64, digest).unwrap()
    }

    /// All that comes out, and whether it ended well.
    async fn drain(body: &mut HeldBody) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        loop {
            match std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
                None => return (bytes, true),
                Some(Ok(frame)) => bytes.extend_from_slice(&frame.into_data().unwrap()),
                Some(Err(_)) => return (bytes, false),
            }
        }
    }

    #[tokio::test]
    async fn everything_leaves_when_the_digest_is_right() {
        for length in [1, BLOCK - 1, BLOCK, BLOCK + 1, CHUNK + BLOCK, 20 * CHUNK + 7] {
            let bytes: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let (progress, seen) = watch::channel(UploadProgress::default());
            let (mut body, watcher) =
                HeldBody::start(&package(&bytes, Sha256Digest::of(&bytes)), progress, Permit::given())
                    .unwrap();
            assert_eq!(body.size_hint().exact(), Some(length as u64));
            assert_eq!(drain(&mut body).await, (bytes, true));
            assert!(seen.borrow().released && seen.borrow().handed == length as u64);
            assert!(watcher.shut() && watcher.fault().is_none());
        }
    }

    #[tokio::test]
    async fn the_last_block_stays_when_the_digest_is_wrong() {
        for (length, sent) in [
            (10, 0),
            (BLOCK, 0),
            (BLOCK + 1, 1),
            (3 * BLOCK, 2 * BLOCK),
            (2 * CHUNK + 1, 2 * CHUNK + 1 - BLOCK),
        ] {
            let bytes = vec![7; length];
            let (mut body, watcher) = HeldBody::start(
                &package(&bytes, Sha256Digest::of(b"other")),
                watch::channel(UploadProgress::default()).0,
                Permit::given(),
            )
            .unwrap();
            let (out, ended_well) = drain(&mut body).await;
            assert_eq!((out.len(), ended_well), (sent, false));
            assert!(!watcher.shut());
            assert!(
                matches!(watcher.fault(), Some(Fault::Digest(found)) if *found == Sha256Digest::of(&bytes))
            );
        }
    }

    #[tokio::test]
    async fn the_last_block_stays_once_the_gate_is_shut() {
        let bytes = vec![7; 2 * BLOCK];
        let (mut body, watcher) = HeldBody::start(
            &package(&bytes, Sha256Digest::of(&bytes)),
            watch::channel(UploadProgress::default()).0,
            Permit::given(),
        )
        .unwrap();
        assert!(!watcher.shut());
        assert_eq!(drain(&mut body).await, (vec![7; BLOCK], false));
        assert!(watcher.fault().is_none());
    }

    #[tokio::test]
    async fn the_last_block_waits_for_consent() {
        for given in [true, false] {
            let bytes = vec![7; 2 * BLOCK];
            let (progress, mut seen) = watch::channel(UploadProgress::default());
            let (permit, consent) = Permit::to_be_asked();
            let package = package(&bytes, Sha256Digest::of(&bytes));
            let (mut body, watcher) = HeldBody::start(&package, progress, permit).unwrap();
            let asked = async {
                let waiting = *seen.wait_for(|p| p.waiting).await.unwrap();
                assert_eq!((waiting.handed, waiting.released), (BLOCK as u64, false));
                if given { consent.give() } else { drop(consent) }
            };
            let ((out, ended_well), ()) = tokio::join!(drain(&mut body), asked);
            assert_eq!((out.len(), ended_well), (if given { 2 * BLOCK } else { BLOCK }, given));
            assert_eq!(watcher.shut(), given);
            assert_eq!(matches!(watcher.fault(), Some(Fault::Withheld)), !given);
        }
    }

    #[tokio::test]
    async fn a_file_that_shrinks_is_a_fault() {
        let bytes = vec![7; 2 * BLOCK];
        let package = package(&bytes, Sha256Digest::of(&bytes));
        package.file.set_len(10).unwrap();
        let (mut body, watcher) =
            HeldBody::start(&package, watch::channel(UploadProgress::default()).0, Permit::given()).unwrap();
        assert_eq!(drain(&mut body).await, (vec![], false));
        assert!(matches!(watcher.fault(), Some(Fault::Read(_))));
    }
}
