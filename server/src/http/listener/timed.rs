//! The clock of one connection. An answer may take as long as it likes while it moves; a client that
//! neither sends nor takes anything is cut off, and so is one that takes too little to be watching.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// How slow a client may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// It is cut off when so long nothing has moved, in neither direction.
    pub(super) idle: Duration,
    /// Of every so long that we wait for it to take something,
    pub(super) window: Duration,
    /// it takes at least so many bytes.
    pub(super) least: u64,
}

/// What is held with a stream, and wants to know of it.
pub(super) trait Held {
    /// All that was to be sent has been taken by the kernel: HTTP flushes nothing before.
    fn all_is_written(&self) {}
}

impl Held for () {}

/// A stream with a clock. One task drives both of its directions: the clock wakes the last that
/// waited. What `G` stands for is held as long as the stream is.
#[derive(Debug)]
pub(super) struct TimedStream<S, G = ()> {
    stream: S,
    clock: Clock,
    /// What is done with a stream whose time is up.
    give_up: fn(&S),
    held: G,
}

#[derive(Debug)]
struct Clock {
    pace: Pace,
    /// Set anew when it rings, not at each move: most connections never hear it.
    sleep: Pin<Box<Sleep>>,
    /// When something moved last.
    moved: Instant,
    /// Since when the client has had no room for what is to be sent.
    waits: Option<Instant>,
    /// How long it had none before, in this window, and what it took meanwhile.
    waited: Duration,
    taken: u64,
}

impl Clock {
    fn new(pace: Pace) -> Self {
        let (sleep, moved) = (Box::pin(sleep(pace.idle)), Instant::now());
        Self { pace, sleep, moved, waits: None, waited: Duration::ZERO, taken: 0 }
    }

    fn read(&mut self) {
        self.moved = Instant::now();
    }

    fn wrote(&mut self, bytes: usize) {
        self.moved = Instant::now();
        self.taken = self.taken.saturating_add(bytes as u64);
        if let Some(since) = self.waits.take() {
            self.waited += self.moved - since;
        }
    }

    /// Waits for time to be up, while the stream waits for the client.
    fn poll_up<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            let now = Instant::now();
            let idle_until = self.moved + self.pace.idle;
            if now >= idle_until || self.is_dripping(now) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.sleep.as_mut().reset(idle_until);
        }
    }

    /// Whether it took too little while we waited for it; begins a new window at the end of one.
    fn is_dripping(&mut self, now: Instant) -> bool {
        let waits = self.waits.map_or(Duration::ZERO, |since| now - since);
        if self.waited + waits < self.pace.window {
            return false;
        }
        let too_little = self.taken < self.pace.least;
        (self.waited, self.taken) = (Duration::ZERO, 0);
        self.waits = self.waits.map(|_| now);
        too_little
    }
}

impl<S, G> TimedStream<S, G> {
    /// A stream whose clock runs from now on; `give_up` is told when its time is up.
    pub(super) fn new(stream: S, pace: Pace, give_up: fn(&S), held: G) -> Self {
        Self { stream, clock: Clock::new(pace), give_up, held }
    }

    fn poll_up<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let up = ready!(self.clock.poll_up(cx));
        (self.give_up)(&self.stream);
        Poll::Ready(up)
    }

    fn judge(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.clock.wrote(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => {
                self.clock.waits.get_or_insert_with(Instant::now);
                self.poll_up(cx)
            }
            failed => failed,
        }
    }
}

impl<S: AsyncRead + Unpin, G: Unpin> AsyncRead for TimedStream<S, G> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match Pin::new(&mut this.stream).poll_read(cx, into) {
            Poll::Ready(read) => {
                this.clock.read();
                Poll::Ready(read)
            }
            Poll::Pending => this.poll_up(cx),
        }
    }
}

impl<S: AsyncWrite + Unpin, G: Held + Unpin> AsyncWrite for TimedStream<S, G> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.held.all_is_written();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{io, time::Duration};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        task::JoinHandle,
        time::{Instant, sleep, timeout},
    };

    use super::{Pace, TimedStream};

    const PACE: Pace =
        Pace { idle: Duration::from_secs(60), window: Duration::from_secs(60), least: 60_000 };
    /// What lies between the server and the client.
    const ROOM: usize = 8_000;

    /// A server that sends so many bytes, as HTTP does: always ready to hear that the client is gone.
    fn sends(bytes: usize) -> (DuplexStream, JoinHandle<io::Result<()>>) {
        let (ours, theirs) = duplex(ROOM);
        let sent = tokio::spawn(async move {
            let mut stream = TimedStream::new(ours, PACE, |_| {}, ());
            let mut left = bytes;
            let block = vec![7; 64 << 10];
            while left > 0 {
                let mut heard = [0; 1];
                let (mut read, mut write) = tokio::io::split(&mut stream);
                tokio::select! {
                    wrote = write.write(&block[..left.min(block.len())]) => left -= wrote?,
                    read = read.read(&mut heard) => return Err(read.err().unwrap_or(io::ErrorKind::BrokenPipe.into())),
                }
            }
            stream.shutdown().await
        });
        (theirs, sent)
    }

    /// Takes so many bytes each second until the end; what it got in all.
    async fn takes(mut client: DuplexStream, a_second: usize) -> usize {
        let mut got = 0;
        let mut bytes = vec![0; a_second];
        loop {
            sleep(Duration::from_secs(1)).await;
            match client.read(&mut bytes).await {
                Ok(0) | Err(_) => return got,
                Ok(read) => got += read,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_is_never_cut_however_long_it_takes() {
        for (a_second, bytes) in [(2_000, 1_000_000), (5_000, 3_000_000)] {
            let (client, sent) = sends(bytes);
            let began = Instant::now();
            assert_eq!(takes(client, a_second).await, bytes, "{a_second} bytes a second");
            assert!(sent.await.expect("no panic").is_ok());
            assert!(began.elapsed() > 5 * PACE.idle);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_or_drips_is_cut_off() {
        for a_second in [1, 100, 500] {
            let (client, sent) = sends(1_000_000);
            let began = Instant::now();
            let got = takes(client, a_second).await;
            assert!(got < 200_000, "{a_second} bytes a second: {got}");
            let cut = sent.await.expect("no panic").expect_err("cut off");
            assert_eq!(cut.kind(), io::ErrorKind::TimedOut);
            // What was on its way is taken a while longer.
            assert!(
                began.elapsed() < 4 * PACE.idle + Duration::from_secs((ROOM / a_second) as u64)
            );
        }
        let (_client, sent) = sends(1_000_000);
        let began = Instant::now();
        assert!(sent.await.expect("no panic").is_err());
        assert!(began.elapsed() < PACE.idle + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_something_is_not_idle() {
        let (ours, mut theirs) = duplex(ROOM);
        let hears = tokio::spawn(async move {
            let mut stream = TimedStream::new(ours, PACE, |_| {}, ());
            let (mut heard, mut byte) = (0, [0; 1]);
            while stream.read_exact(&mut byte).await.is_ok() {
                heard += 1;
            }
            heard
        });
        for _ in 0..10 {
            sleep(PACE.idle - Duration::from_secs(1)).await;
            theirs.write_all(b"x").await.expect("heard");
        }
        let heard = timeout(2 * PACE.idle, hears).await.expect("cut off");
        assert_eq!(heard.expect("no panic"), 10);
    }
}
