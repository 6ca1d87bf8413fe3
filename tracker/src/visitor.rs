//! Who: a key made once and kept in the browser, and the counter beside it.

use crate::{dom::fill_random, storage::Storage};
use alloc::string::String;
use logdig_shared::json::push_whole;

const USER_KEY: &str = "logdig.user_key";
const LOAD_COUNT: &str = "logdig.load_count";
/// Letters and digits first: a user key is made of these 62, a document's id of all 64.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Gives the visitor's key; makes one where there is none. Where storage is denied it lasts as long as the document.
pub fn user_key(storage: &Storage) -> String {
    storage.get(USER_KEY).filter(|key| !key.is_empty()).unwrap_or_else(|| {
        let key = random_text(20, 62);
        storage.set(USER_KEY, &key);
        key
    })
}

/// A document's id: 16 characters of 64, so 96 random bits.
pub fn document_id() -> String {
    random_text(16, 64)
}

/// Raises the counter of loads and logs; `last` is its value where storage is denied, -1 at first.
pub fn raise_load_count(storage: &Storage, last: i64) -> i64 {
    let stored = storage.get(LOAD_COUNT).and_then(|text| text.parse().ok());
    let count: i64 = stored.unwrap_or(last) + 1;
    let mut text = String::new();
    push_whole(&mut text, count);
    storage.set(LOAD_COUNT, &text);
    count
}

/// Random letters of the alphabet's first `n_letters`, each as likely as every other: what lies beyond is drawn again.
fn random_text(length: usize, n_letters: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        let mut byte = [0];
        fill_random(&mut byte);
        let letter = ALPHABET.get(..n_letters).and_then(|letters| letters.get(usize::from(byte[0] & 63)));
        text.extend(letter.map(|letter| char::from(*letter)));
    }
    text
}
