//! What every shared file must do: one suite, run against each kind.

use crate::shared_file::{Look, SharedFile, Version};

/// Holds two handles on one file, which is not there yet, to the contract of [`SharedFile`].
///
/// # Panics
/// When the file does not keep it.
pub async fn check(file: &dyn SharedFile, same: &dyn SharedFile) {
    assert_eq!(file.look(None).await.expect("look"), Look::Absent);
    assert!(file.clear(None).await.expect("clear"), "nothing is there to be cleared");

    let first = file.replace(b"one", None).await.expect("replace").expect("nothing was there");
    assert_eq!(file.look(Some(&first)).await.expect("look"), Look::Same);
    assert_eq!(read(same).await, (b"one".to_vec(), first.clone()));

    assert_eq!(same.replace(b"two", None).await.expect("replace"), None, "something is there");
    let second = same.replace(b"two", Some(&first)).await.expect("replace").expect("it was as known");
    assert_ne!(first, second);
    assert_eq!(file.replace(b"three", Some(&first)).await.expect("replace"), None, "it is another by now");
    assert!(!file.clear(Some(&first)).await.expect("clear"), "it is another by now");
    assert_eq!(read(file).await, (b"two".to_vec(), second.clone()));

    assert!(file.clear(Some(&second)).await.expect("clear"));
    match same.look(Some(&second)).await.expect("look") {
        Look::Absent => assert!(same.replace(b"four", None).await.expect("replace").is_some()),
        Look::New { content, version } => {
            assert_eq!(content, b"");
            assert!(same.replace(b"four", Some(&version)).await.expect("replace").is_some());
        }
        Look::Same => panic!("it was cleared"),
    }
    assert_eq!(read(file).await.0, b"four");
    one_of_two_wins(file, same).await;
}

async fn one_of_two_wins(file: &dyn SharedFile, same: &dyn SharedFile) {
    for round in 0..20 {
        let (_, known) = read(file).await;
        let [left, right] = ["left", "right"].map(|side| format!("{side} {round}").into_bytes());
        let both = tokio::join!(file.replace(&left, Some(&known)), same.replace(&right, Some(&known)));
        let winners = [both.0.expect("replace"), both.1.expect("replace")];
        assert_eq!(winners.iter().flatten().count(), 1, "{winners:?}");
        assert_eq!(read(same).await.0, if winners[0].is_some() { left } else { right });
    }
}

async fn read(file: &dyn SharedFile) -> (Vec<u8>, Version) {
    match file.look(None).await.expect("look") {
        Look::New { content, version } => (content, version),
        other => panic!("there is a file, and it says {other:?}"),
    }
}
