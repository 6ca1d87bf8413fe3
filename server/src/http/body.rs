//! Reading a request's body: bounded in size, in time, and in the sum over all requests.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body_util::BodyExt;
use logdig_shared::limits::BODY_BYTES_MAX;

use super::RequestError;
use crate::outcome::Metrics;

/// A browser that still sends can't read the answer, so a body that is too large is read on and thrown away, up to here.
const DISCARDED_BYTES_MAX: usize = 16 * BODY_BYTES_MAX;

/// What all requests together may take.
#[derive(Debug)]
pub struct BodyBounds {
    /// Longest time from a request's head to the end of its body.
    pub timeout: Duration,
    /// Most bytes of bodies in memory at a time.
    pub in_flight_bytes_max: u64,
}

/// A whole body. While it is held, its bytes count as in flight.
#[derive(Debug)]
pub struct HeldBody {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for HeldBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body of at most [`BODY_BYTES_MAX`].
///
/// # Errors
///
/// When it is larger, slow, broken off, or when bodies of other requests leave no room.
pub async fn read<B>(body: B, bounds: &BodyBounds, metrics: &Arc<Metrics>) -> Result<HeldBody, RequestError>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let held = Held { metrics: metrics.clone(), n_bytes: 0 };
    // The timer starts only where the body is not here yet, so a short body costs none.
    let read = tokio::time::timeout(bounds.timeout, read_all(body, bounds, held));
    read.await.map_err(|_| RequestError::BodySlow)?
}

async fn read_all<B>(mut body: B, bounds: &BodyBounds, mut held: Held) -> Result<HeldBody, RequestError>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        discard(body).await;
        return Err(RequestError::BodyTooLarge);
    }
    let Some(first) = next_chunk(&mut body).await? else {
        return Ok(HeldBody { bytes: Bytes::new(), _held: held });
    };
    held.add(first.len(), bounds)?;
    if body.is_end_stream() {
        return Ok(HeldBody { bytes: first, _held: held });
    }
    let mut bytes = first.to_vec();
    while let Some(chunk) = next_chunk(&mut body).await? {
        if bytes.len() + chunk.len() > BODY_BYTES_MAX {
            drop((bytes, held));
            discard(body).await;
            return Err(RequestError::BodyTooLarge);
        }
        held.add(chunk.len(), bounds)?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(HeldBody { bytes: bytes.into(), _held: held })
}

async fn next_chunk<B: HttpBody<Data = Bytes> + Unpin>(body: &mut B) -> Result<Option<Bytes>, RequestError> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| RequestError::BodyBroken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

async fn discard<B: HttpBody<Data = Bytes> + Unpin>(mut body: B) {
    let mut n_bytes = 0;
    while n_bytes < DISCARDED_BYTES_MAX
        && let Ok(Some(chunk)) = next_chunk(&mut body).await
    {
        n_bytes += chunk.len();
    }
}

/// Bytes counted as in flight until this is dropped.
#[derive(Debug)]
struct Held {
    metrics: Arc<Metrics>,
    n_bytes: u64,
}

impl Held {
    /// Counts bytes as they arrive: one that announces much and sends nothing takes nothing from others.
    fn add(&mut self, n_bytes: usize, bounds: &BodyBounds) -> Result<(), RequestError> {
        let n_bytes = n_bytes as u64;
        self.n_bytes += n_bytes;
        let all = self.metrics.in_flight_bytes.fetch_add(n_bytes, Relaxed) + n_bytes;
        if all > bounds.in_flight_bytes_max { Err(RequestError::Busy) } else { Ok(()) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.metrics.in_flight_bytes.fetch_sub(self.n_bytes, Relaxed);
    }
}
