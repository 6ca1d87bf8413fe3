//! Every store keeps the same contract, and so does every shared file.

use logdig_store::{
    Content, ContentHash, LocalFile, LocalStore, MemoryStore, S3Store, SealedBatch, SharedFile, Store, StoreError,
    contract, shared_file_contract,
};
use logdig_tests::S3;
use logdig_tests::s3::Account;

#[tokio::test]
async fn memory_store() {
    let files = tempfile::tempdir().unwrap();
    contract::check(&MemoryStore::new(), files.path()).await;
}

#[tokio::test]
async fn local_store() {
    let files = tempfile::tempdir().unwrap();
    contract::check(&LocalStore::new(files.path().join("store")), files.path()).await;
}

/// A batch that lies on another file system is copied. Linux keeps one in memory at `/dev/shm`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn local_store_fed_from_another_file_system() {
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let root = tempfile::tempdir().unwrap();
    contract::check(&LocalStore::new(root.path().join("store")), elsewhere.path()).await;
}

/// A store in the bucket, under a prefix that may be empty.
async fn s3_store(s3: &S3, prefix: &str) -> S3Store {
    let [(_, access), (_, secret), ..] = Account::Owner.variables();
    S3Store::at_stand_in(&s3.url(), access, secret, format!("logs/{prefix}").parse().expect("an address")).await
}

fn batch(day: &str, content: Vec<u8>) -> SealedBatch {
    SealedBatch {
        day: day.parse().expect("a day"),
        sha256: ContentHash::of(&content),
        content: Content::Bytes(content),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s3() {
    let s3 = S3::start();
    for prefix in ["site", "other/site", ""] {
        let files = tempfile::tempdir().unwrap();
        contract::check(&s3_store(&s3, prefix).await, files.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_passes_over_names_of_other_forms() {
    let s3 = S3::start();
    let store = s3_store(&s3, "site").await;
    let batch = batch("2026-11-25", b"one\n".to_vec());
    store.put(&batch).await.unwrap();
    store.shared_file("services.json").replace(b"{}", None).await.unwrap();
    for name in ["2026-11-25/notes.txt", "2026-11-26x/notes.txt", "notes.txt"] {
        let path = s3.objects("site").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    assert_eq!(store.days().await.unwrap(), [batch.day]);
    let listed = store.list(batch.day).await.unwrap();
    assert_eq!(listed.iter().map(|object| object.key).collect::<Vec<_>>(), [batch.key()]);
    let age = jiff::Timestamp::now().duration_since(listed[0].changed_at);
    assert!(age.as_secs().abs() < 60, "{age}");
}

/// A page of a listing has 1000 names.
#[tokio::test(flavor = "multi_thread")]
async fn s3_lists_all_pages() {
    let s3 = S3::start();
    let store = s3_store(&s3, "").await;
    let batches: Vec<_> = (0..1100).map(|n| batch("2026-11-25", format!("{n}\n").into_bytes())).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for group in batches.chunks(100).map(<[_]>::to_vec) {
        let store = store.clone();
        tasks.spawn(async move {
            for batch in group {
                store.put(&batch).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let mut expected: Vec<_> = batches.iter().map(SealedBatch::key).collect();
    expected.sort();
    let listed = store.list(batches[0].day).await.unwrap();
    assert_eq!(listed.iter().map(|object| object.key).collect::<Vec<_>>(), expected);
}

/// Several megabytes, so that the body goes out in pieces; put by many at a time, as two Lambdas might.
#[tokio::test(flavor = "multi_thread")]
async fn s3_takes_a_large_file_once_from_many() {
    let s3 = S3::start();
    let store = s3_store(&s3, "site").await;
    let files = tempfile::tempdir().unwrap();
    let content: Vec<u8> =
        (0..9_000_000_u32).map(|n| if n % 100 == 99 { b'\n' } else { b'a' + (n / 100 % 26) as u8 }).collect();
    let path = files.path().join("batch");
    std::fs::write(&path, &content).unwrap();
    let batch = SealedBatch { content: Content::File(path), ..batch("2026-11-25", content.clone()) };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, batch) = (store.clone(), batch.clone());
        tasks.spawn(async move {
            while let Err(error) = store.put(&batch).await {
                assert!(error.can_retry(), "{error}");
            }
        });
    }
    tasks.join_all().await;
    assert!(store.get(&batch.key()).await.unwrap() == content);
    assert_eq!(store.list(batch.day).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_never_replaces_an_object() {
    let s3 = S3::start();
    let store = s3_store(&s3, "").await;
    let batch = batch("2026-11-25", b"one\n".to_vec());
    store.put(&batch).await.unwrap();
    // Behind its back, so that the second put would be seen.
    let path = s3.objects(&batch.key().to_string());
    std::fs::write(&path, "old\n").unwrap();
    store.put(&batch).await.expect("an object of the name is there");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old\n");
}

/// What a disk made of a file between the hash and the upload must not become an object.
#[tokio::test(flavor = "multi_thread")]
async fn s3_refuses_content_that_is_not_of_its_name() {
    let s3 = S3::start();
    let store = s3_store(&s3, "").await;
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("batch");
    std::fs::write(&path, "two\n").unwrap();
    let batch = SealedBatch { content: Content::File(path), ..batch("2026-11-25", b"one\n".to_vec()) };
    let error = store.put(&batch).await.expect_err("its SHA-256 is another");
    assert!(!error.can_retry(), "{error}");
    assert!(error.to_string().contains(&batch.key().to_string()), "{error}");
    assert_eq!(store.list(batch.day).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_store_tells_a_damaged_object() {
    let s3 = S3::start();
    let folder = tempfile::tempdir().unwrap();
    let stores: [(Box<dyn Store>, _); 2] = [
        (Box::new(s3_store(&s3, "").await), s3.objects("")),
        (Box::new(LocalStore::new(folder.path().join("store"))), folder.path().join("store")),
    ];
    for (store, root) in stores {
        let batch = batch("2026-11-25", b"one\n".to_vec());
        store.put(&batch).await.unwrap();
        std::fs::write(root.join(batch.key().to_string()), "two\n").unwrap();
        let error = store.get(&batch.key()).await.expect_err("it was changed");
        assert!(matches!(error, StoreError::Damaged { key, .. } if key == batch.key()), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_that_is_away_is_told_with_its_place() {
    let mut s3 = S3::start();
    let store = s3_store(&s3, "site").await;
    let batch = batch("2026-11-25", b"one\n".to_vec());
    s3.stop();
    let error = store.put(&batch).await.expect_err("it is away");
    assert!(error.can_retry());
    let text = error.to_string();
    assert!(text.contains(&format!("s3://logs/site/{}", batch.key())) && text.contains("onnect"), "{text}");
    s3.go_on();
    store.put(&batch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_files() {
    let s3 = S3::start();
    let store = s3_store(&s3, "site").await;
    shared_file_contract::check(&store.shared_file("x"), &store.shared_file("x")).await;
    let folder = tempfile::tempdir().unwrap();
    for file in [LocalFile::new(folder.path(), "open"), LocalFile::secret(folder.path(), "secret")] {
        shared_file_contract::check(&file, &file.clone()).await;
    }
}
