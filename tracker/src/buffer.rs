//! A text of bounded length that needs no allocator.

use core::str;
use logdig_shared::{json::Push, limits::LINE_BYTES_MAX};

/// A text of at most [`LINE_BYTES_MAX`] bytes. What does not fit makes it overflow, never panic.
pub struct Buffer {
    bytes: [u8; LINE_BYTES_MAX],
    len: usize,
}

#[expect(clippy::new_without_default, reason = "it stands in a static, which `default` can't make")]
impl Buffer {
    /// An empty one.
    pub const fn new() -> Self {
        Self { bytes: [0; LINE_BYTES_MAX], len: 0 }
    }

    /// Makes it empty.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// The text; `None` when it was longer than fits.
    pub fn text(&self) -> Option<&str> {
        // SAFETY: only whole texts, ASCII characters and what `fill` vouches for were added.
        self.bytes.get(..self.len).map(|bytes| unsafe { str::from_utf8_unchecked(bytes) })
    }

    /// Has a text written to the end by somebody else, who gets the room left, of at most `bytes_max`, and gives how
    /// many bytes were used.
    ///
    /// # Safety
    ///
    /// `write` must leave whole UTF-8 characters.
    pub unsafe fn fill(&mut self, bytes_max: usize, write: &dyn Fn(&mut [u8]) -> usize) {
        if let Some(room) = self.bytes.get_mut(self.len..) {
            let n_bytes = room.len().min(bytes_max);
            self.len += room.get_mut(..n_bytes).map_or(0, write).min(n_bytes);
        }
    }
}

impl Push for Buffer {
    fn push_str(&mut self, text: &str) {
        match self.bytes.get_mut(self.len..).and_then(|room| room.get_mut(..text.len())) {
            // Not `copy_from_slice`: the text of its panic would come along, and formatting with it.
            Some(room) => room.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from),
            None => self.len = LINE_BYTES_MAX,
        }
        self.len += text.len();
    }

    fn push_ascii(&mut self, byte: u8) {
        if let Some(room) = self.bytes.get_mut(self.len) {
            *room = byte;
        }
        self.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;

    #[test]
    fn holds_a_line_and_no_more() {
        let mut buffer = Box::new(Buffer::new());
        for _ in 0..LINE_BYTES_MAX / 4 {
            buffer.push_str("😀");
        }
        assert_eq!(buffer.text().map(str::len), Some(LINE_BYTES_MAX));
        buffer.push_ascii(b'x');
        assert_eq!(buffer.text(), None);
        buffer.push_str("x");
        assert_eq!(buffer.text(), None, "and stays so");
        buffer.clear();
        assert_eq!(buffer.text(), Some(""));
    }

    #[test]
    fn others_fill_what_is_left() {
        let mut buffer = Box::new(Buffer::new());
        buffer.push_str("ab");
        // SAFETY: one ASCII character.
        unsafe {
            buffer.fill(5, &|room| {
                assert_eq!(room.len(), 5);
                room[0] = b'c';
                1
            });
        }
        assert_eq!(buffer.text(), Some("abc"));
    }
}
