use super::*;

fn log(id: &str) -> Log {
    Log { id: id.into(), r#type: "click".into(), ..Log::default() }
}

fn logs(ids: &[&str]) -> Vec<Log> {
    ids.iter().map(|id| log(id)).collect()
}

fn queue(ids: &[&str]) -> Sight {
    Sight::Queue(logs(ids))
}

fn post(number: u64, ids: &[&str]) -> Sight {
    Sight::PostLeft { post: number, logs: logs(ids), stored: true }
}

fn post_from_memory(number: u64, ids: &[&str]) -> Sight {
    Sight::PostLeft { post: number, logs: logs(ids), stored: false }
}

fn answer(number: u64, status: u16) -> Sight {
    Sight::PostAnswered(number, status, vec![])
}

fn place(line: usize) -> Place {
    Place { file: "2026-11-25/ab".into(), line }
}

fn files(asked: &[&str], found: &[(&str, usize)], waited_ms: u32) -> Sight {
    let found = found.iter().map(|&(id, line)| Found { id: id.into(), place: place(line) }).collect();
    Sight::Files { asked: asked.iter().map(|&id| id.into()).collect(), found, waited_ms }
}

fn ledger(sights: impl IntoIterator<Item = Sight>) -> Ledger {
    let mut ledger = Ledger::default();
    sights.into_iter().for_each(|sight| ledger.see(sight));
    ledger
}

fn entry<'a>(ledger: &'a Ledger, id: &str) -> &'a Entry {
    ledger.entries.iter().find(|entry| entry.log.id == id).expect("the log was seen")
}

fn waits(n_attempts: u32) -> Option<Trouble> {
    Some(Trouble::Waits { n_attempts })
}

/// The stage of log `d.0` after these sights.
#[track_caller]
fn check(sights: impl IntoIterator<Item = Sight>, stage: Stage, trouble: Option<Trouble>) {
    let ledger = ledger(sights);
    let entry = entry(&ledger, "d.0");
    assert_eq!((entry.stage, &entry.trouble), (stage, &trouble));
}

#[test]
fn a_log_fills_one_mark_after_the_other() {
    let mut sights = vec![queue(&["d.0"])];
    check(sights.clone(), Stage::Queued, None);
    sights.push(post(1, &["d.0"]));
    check(sights.clone(), Stage::Sent, None);
    sights.push(answer(1, 200));
    check(sights.clone(), Stage::Durable, None);
    sights.push(queue(&[]));
    check(sights.clone(), Stage::Durable, None);
    sights.push(files(&["d.0"], &[("d.0", 3)], 0));
    check(sights.clone(), Stage::InFile, None);
    assert_eq!(entry(&ledger(sights), "d.0").place, Some(place(3)));
}

#[test]
fn what_may_succeed_later_waits_and_counts_its_attempts() {
    for status in [408, 413, 429, 500, 503] {
        check([queue(&["d.0"]), post(1, &["d.0"]), answer(1, status)], Stage::Queued, waits(1));
    }
    let twice = [
        queue(&["d.0"]),
        post(1, &["d.0"]),
        Sight::PostFailed(1),
        queue(&["d.0"]),
        post(2, &["d.0"]),
        Sight::PostFailed(2),
    ];
    check(twice.clone(), Stage::Queued, waits(2));
    check(twice.into_iter().chain([post(3, &["d.0"]), answer(3, 200)]), Stage::Durable, None);
}

#[test]
fn a_refusal_hits_only_the_log_it_names() {
    let refusals = vec![Refusal { index: 1, reason: "too_long".into(), field: None }];
    let ledger =
        ledger([queue(&["d.0", "d.1"]), post(1, &["d.0", "d.1"]), Sight::PostAnswered(1, 200, refusals), queue(&[])]);
    assert_eq!(entry(&ledger, "d.0").stage, Stage::Durable);
    assert_eq!(entry(&ledger, "d.1").trouble, Some(Trouble::Refused { reason: "too_long".into() }));
    assert_eq!(ledger.counts(), Counts { made: 2, durable: 1, refused: 1, ..Counts::default() });
}

#[test]
fn a_refusal_counts_places_in_the_request_not_in_the_ledger() {
    let refusals = vec![Refusal { index: 1, reason: "too_long".into(), field: None }];
    let ledger = ledger([queue(&["d.1", "d.0"]), post(1, &["d.0", "d.1"]), Sight::PostAnswered(1, 200, refusals)]);
    assert_eq!(entry(&ledger, "d.0").stage, Stage::Durable);
    assert_eq!(entry(&ledger, "d.1").trouble, Some(Trouble::Refused { reason: "too_long".into() }));
}

#[test]
fn a_request_refused_as_a_whole_refuses_all_its_logs() {
    check(
        [queue(&["d.0"]), post(1, &["d.0"]), answer(1, 403)],
        Stage::Sent,
        Some(Trouble::Refused { reason: "403".into() }),
    );
}

#[test]
fn a_key_that_goes_without_an_answer_seen_is_on_its_way_until_a_file_has_it() {
    let gone = [queue(&["d.0"]), queue(&[])];
    check(gone.clone(), Stage::Sent, None);
    assert_eq!(ledger(gone.clone()).counts().waiting, 1);
    check(gone.into_iter().chain([files(&["d.0"], &[("d.0", 1)], 0)]), Stage::InFile, None);
}

#[test]
fn a_repeat_of_a_durable_log_changes_nothing() {
    let durable = [queue(&["d.0"]), post(1, &["d.0"]), answer(1, 200)];
    let repeated = durable.into_iter().chain([queue(&["d.0"]), post(2, &["d.0"]), Sight::PostFailed(2)]);
    check(repeated, Stage::Durable, None);
}

#[test]
fn without_storage_logs_are_first_seen_in_the_post_and_go_back_to_memory() {
    let sent = [queue(&[]), post_from_memory(1, &["d.0"])];
    check(sent.clone(), Stage::Sent, None);
    assert!(entry(&ledger(sent.clone()), "d.0").in_memory);
    check(sent.into_iter().chain([Sight::PostFailed(1), queue(&[])]), Stage::Made, waits(1));
}

#[test]
fn logs_sent_before_the_panel_looked_were_in_storage_all_the_same() {
    let ledger = ledger([post(1, &["d.0"]), answer(1, 200), queue(&[])]);
    assert!(!entry(&ledger, "d.0").in_memory);
}

#[test]
fn lost_is_said_only_after_a_minute_of_answers_without_the_log() {
    let gone = [queue(&["d.0"]), queue(&[])];
    let missed = |waited_ms| gone.clone().into_iter().chain([files(&["d.0"], &[], waited_ms)]);
    check(missed(LOST_AFTER_MS), Stage::Sent, None);
    check(missed(LOST_AFTER_MS + 1), Stage::Sent, Some(Trouble::Lost));
    assert_eq!(ledger(missed(LOST_AFTER_MS + 1)).counts().lost, 1);
    check(missed(LOST_AFTER_MS + 1).chain([files(&["d.0"], &[("d.0", 9)], 0)]), Stage::InFile, None);
}

#[test]
fn a_log_in_the_queue_is_never_called_lost() {
    check([queue(&["d.0"]), files(&["d.0"], &[], LOST_AFTER_MS * 2)], Stage::Queued, None);
    let in_memory = [post_from_memory(1, &["d.0"]), Sight::PostFailed(1), files(&["d.0"], &[], LOST_AFTER_MS * 2)];
    check(in_memory, Stage::Made, waits(1));
}

#[test]
fn after_a_reload_logs_belong_to_the_page_before_and_wait_again() {
    let mut ledger = ledger([queue(&["d.0"]), post(1, &["d.0"])]);
    let saved = serde_json::to_string(&ledger).unwrap();
    ledger = serde_json::from_str::<Ledger>(&saved).unwrap().resumed();
    ledger.see(queue(&["d.0", "d.1", "e.0"]));
    assert_eq!((entry(&ledger, "d.0").stage, entry(&ledger, "d.0").origin), (Stage::Queued, Origin::Before));
    assert_eq!(entry(&ledger, "d.1").origin, Origin::Before);
    assert_eq!(entry(&ledger, "e.0").origin, Origin::Here);
}

#[test]
fn logs_in_the_memory_of_a_page_that_is_gone_are_sought_first() {
    let saved = ledger([post_from_memory(1, &["d.0"]), Sight::PostFailed(1)]);
    let mut ledger = saved.resumed();
    ledger.see(files(&["d.0"], &[], LOST_AFTER_MS + 1));
    assert_eq!(entry(&ledger, "d.0").trouble, Some(Trouble::Lost));
}

#[test]
fn another_tab_is_told_by_its_writing_before_or_after_the_key_was_seen() {
    let ledger = ledger([queue(&["d.0"]), Sight::WrittenElsewhere("d".into()), queue(&["d.0", "d.1", "e.0"])]);
    let origins: Vec<_> = ledger.entries.iter().map(|entry| entry.origin).collect();
    assert_eq!(origins, [Origin::Elsewhere, Origin::Elsewhere, Origin::Here]);
}

#[test]
fn what_a_page_of_this_tab_wrote_is_not_taken_for_another_tab_s() {
    let mut ledger = ledger([queue(&["d.0"])]).resumed();
    ledger.see(Sight::WrittenElsewhere("d".into()));
    assert_eq!(entry(&ledger, "d.0").origin, Origin::Before);
}

#[test]
fn what_should_be_in_a_file_is_sought_before_what_waits() {
    let ledger = ledger([queue(&["d.0", "d.1", "d.2"]), post(1, &["d.1"]), answer(1, 200), queue(&["d.0"])]);
    assert_eq!(ledger.sought(10), ["d.1", "d.2", "d.0"]);
    assert_eq!(ledger.sought(1), ["d.1"]);
}

#[test]
fn settled_logs_leave_the_list_but_not_the_counts() {
    let ids: Vec<String> = (0..SETTLED_MAX + 5).map(|seq| format!("d.{seq}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found: Vec<(&str, usize)> = ids.iter().copied().zip(1..).collect();
    let mut ledger = ledger([queue(&ids), files(&ids, &found, 0)]);
    assert_eq!(ledger.entries.len(), ids.len(), "keys that are still there could bring them up again");
    ledger.see(queue(&[]));
    assert_eq!(ledger.entries.len(), SETTLED_MAX);
    assert_eq!(ledger.counts().in_files, ids.len());
    assert_eq!(ledger.newest(1)[0].log.id, *ids.last().unwrap());
}

#[test]
fn however_much_waits_the_ledger_stays_bounded() {
    let ids: Vec<String> = (0..=FOLLOWED_MAX).map(|seq| format!("d.{seq}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let ledger = ledger([queue(&ids)]);
    assert_eq!((ledger.entries.len(), ledger.counts().made), (FOLLOWED_MAX, ids.len()));
}

fn leave(id: &str, engaged_ms: u64) -> Log {
    Log { id: id.into(), r#type: "leave".into(), engaged_ms, ..Log::default() }
}

#[test]
fn the_leave_of_a_view_that_is_still_there_counts_when_it_goes_out_and_says_what_went_out() {
    let mut ledger = ledger([Sight::Queue(vec![leave("d.1", 5_000)])]);
    assert!(entry(&ledger, "d.1").is_draft());
    assert_eq!(ledger.counts(), Counts::default());
    ledger.see(Sight::PostLeft { post: 1, logs: vec![leave("d.1", 9_000)], stored: true });
    assert_eq!((entry(&ledger, "d.1").stage, entry(&ledger, "d.1").log.engaged_ms), (Stage::Sent, 9_000));
    assert_eq!((ledger.counts().made, ledger.counts().waiting), (1, 1));
}

#[test]
fn a_draft_that_its_page_left_behind_is_a_log_that_waits() {
    let ledger = ledger([Sight::Queue(vec![leave("d.1", 5_000)])]).resumed();
    assert!(!entry(&ledger, "d.1").is_draft());
    assert_eq!(ledger.counts().waiting, 1);
}

#[test]
fn a_visitor_who_says_no_withdraws_what_waits_but_not_what_is_under_way() {
    let mut ledger = ledger([queue(&["d.0", "d.1", "d.2"]), post(1, &["d.0"]), answer(1, 200), queue(&["d.1", "d.2"])]);
    ledger.see(post(2, &["d.1"]));
    ledger.see(Sight::Withdrawn);
    ledger.see(queue(&[]));
    ledger.see(files(&["d.0", "d.1", "d.2"], &[], LOST_AFTER_MS + 1));
    assert_eq!(entry(&ledger, "d.2").trouble, Some(Trouble::Withdrawn));
    assert_eq!((ledger.counts().waiting, ledger.counts().lost), (0, 2));
    ledger.see(answer(2, 200));
    assert_eq!((entry(&ledger, "d.1").stage, &entry(&ledger, "d.1").trouble), (Stage::Durable, &None));
    assert_eq!(ledger.sought(9), ["d.0", "d.1"]);
}
