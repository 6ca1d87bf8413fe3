//! Random texts that nobody can guess, for tokens and for logs that came without an id.

use std::cell::RefCell;

/// 64 characters that need no escaping in URLs, HTML, JSON or file names: six bits each.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Asking the system costs far more than copying, so each thread asks for many bytes at once.
const POOL_BYTES: usize = 2048;

/// A text of `length` (at most 2,048) random letters, digits, `-` and `_`: six bits of the system's randomness each.
pub fn text(length: usize) -> String {
    thread_local!(static POOL: RefCell<Pool> = const { RefCell::new(Pool::EMPTY) });
    POOL.with_borrow_mut(|pool| {
        pool.take(length).iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
    })
}

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

impl Pool {
    const EMPTY: Pool = Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES };

    /// Each byte is handed out once.
    fn take(&mut self, length: usize) -> &[u8] {
        if POOL_BYTES - self.used < length {
            getrandom::fill(&mut self.bytes).expect("the system has random numbers once it runs programs");
            self.used = 0;
        }
        self.used += length;
        &self.bytes[self.used - length..self.used]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_differ_and_keep_to_the_alphabet() {
        let texts: HashSet<String> = (0..1000).map(|_| text(16)).collect();
        assert_eq!(texts.len(), 1000);
        assert!(texts.iter().all(|text| text.len() == 16 && text.bytes().all(|byte| ALPHABET.contains(&byte))));
    }

    #[test]
    fn takes_every_byte_once_and_asks_again_when_none_are_left() {
        let mut pool = Pool::EMPTY;
        let first = pool.take(POOL_BYTES).to_vec();
        let second = pool.take(POOL_BYTES).to_vec();
        assert_ne!(first, second);
    }
}
