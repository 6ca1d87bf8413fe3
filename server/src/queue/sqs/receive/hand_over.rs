//! Many messages deleted or given back: ten a call, some calls at a time, each failed entry looked at.

use std::time::Duration;

use tokio::{task::JoinSet, time::sleep};

use crate::queue::sqs::client::{BATCH_MAX, CallError, SqsClient};

/// As many as share a connection pool well.
const CALLS_MAX: usize = 8;
/// Each with the SDK's own attempts inside.
const N_ATTEMPTS: u32 = 3;
const WAIT: Duration = Duration::from_millis(200);

#[derive(Clone, Copy)]
enum Deed {
    Delete,
    GiveBack,
}

/// Deletes messages by their receipts.
///
/// # Errors
/// When some are still there after all attempts. The others are gone.
pub async fn delete_all(client: &SqsClient, receipts: Vec<String>) -> Result<(), CallError> {
    all(client, receipts, Deed::Delete).await
}

/// Gives messages back: whoever asks next gets them.
///
/// # Errors
/// When that failed for some. They come back by themselves, later.
pub async fn give_back_all(client: &SqsClient, receipts: Vec<String>) -> Result<(), CallError> {
    all(client, receipts, Deed::GiveBack).await
}

async fn all(client: &SqsClient, mut receipts: Vec<String>, deed: Deed) -> Result<(), CallError> {
    let mut calls = JoinSet::new();
    let mut result = Ok(());
    while !receipts.is_empty() {
        let some = receipts.split_off(receipts.len().saturating_sub(BATCH_MAX));
        if calls.len() >= CALLS_MAX {
            result = result.and(joined(&mut calls).await);
        }
        let client = client.clone();
        calls.spawn(async move { ten(&client, some, deed).await });
    }
    while !calls.is_empty() {
        result = result.and(joined(&mut calls).await);
    }
    result
}

async fn joined(calls: &mut JoinSet<Result<(), CallError>>) -> Result<(), CallError> {
    match calls.join_next().await {
        Some(Ok(done)) => done,
        // Cancelled with the runtime, or a bug of ours that has been told on stderr; what is not deleted comes back.
        Some(Err(_)) | None => Ok(()),
    }
}

async fn ten(client: &SqsClient, mut receipts: Vec<String>, deed: Deed) -> Result<(), CallError> {
    for attempt in 1.. {
        let some: Vec<&str> = receipts.iter().map(String::as_str).collect();
        let done = match deed {
            Deed::Delete => client.delete(&some).await,
            Deed::GiveBack => client.give_back(&some).await,
        };
        let (left, error) = match done {
            Ok(failed) => {
                let Some((_, error)) = failed.first().cloned() else { return Ok(()) };
                (failed.into_iter().map(|(place, _)| receipts[place].clone()).collect(), error)
            }
            Err(error) => (receipts, error),
        };
        if attempt == N_ATTEMPTS || error.is_for_good {
            return Err(error);
        }
        receipts = left;
        sleep(WAIT * attempt).await;
    }
    Ok(())
}
