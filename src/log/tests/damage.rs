//! Damage to bytes that were acknowledged: refused with its place, or no event is lost by it (19 to 28).

use std::ops::ControlFlow;

use super::crash::script;
use super::model::{Entry, Model, Session, frames, long, options, read_until_damage, stream};
use crate::ids::{Position, Sequence, StreamId};
use crate::log::record::{self, CLOSE, Flags, Head, ORIGIN, WITNESS};
use crate::log::segment::{Header, HeaderError, LogId, SegmentNumber};
use crate::log::watermark::Watermark;
use crate::log::{Damage, Error, Evidence, Expected, Group, Log, Offset, Reader, dump, verify};
use crate::testing::dice::Dice;
use crate::testing::disk::{Disk, SECTOR_BYTES};
use crate::time::Timestamp;

const FIRST: &str = "log/0000000001.seg";
const FRAMES: usize = 8192;

fn now() -> Timestamp {
    Timestamp::from_microseconds(1_000_000)
}

/// How the log was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    PowerCut,
    Idle,
    Closed,
}

/// A small log of four writes in one segment.
fn small(left: Left) -> (Disk, Model) {
    let disk = Disk::new(1);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    let mut dice = Dice::new(1);
    for lengths in [&[9][..], &[3, 17], &[8], &[5, 1, 30]] {
        session.write(vec![(stream(dice.below(2)), Expected::Any, frames(&mut dice, lengths))]).unwrap();
        session.sync().unwrap();
    }
    match left {
        Left::PowerCut => drop(session),
        Left::Idle => session.writer.idle().unwrap(),
        Left::Closed => session.close().unwrap(),
    }
    disk.kill();
    disk.edit(FIRST, |_| ());
    (disk, model)
}

/// Behind the last byte that is not zero.
fn end_of_data(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

/// Behind the last frame that was synced.
fn end_of_frames(disk: &Disk) -> usize {
    Watermark::decode(&disk.tree()["WATERMARK"]).unwrap().end.get() as usize
}

/// What opening makes of a damaged log.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    /// It is opened, and who reads what is damaged is told.
    Met,
    Whole,
    /// Events at the end are gone without a word.
    Short(usize),
}

/// Opens the log; a refusal must leave every byte as it was (27), and what is recovered must be a prefix.
fn outcome(disk: &Disk, model: &Model) -> Outcome {
    let before = disk.tree();
    let opened = Log::open(disk.process(), &options(77));
    match opened {
        Err(Error::Damaged { missing, proven, .. }) => {
            assert!(missing <= proven);
            assert_eq!(disk.tree(), before, "a refused opening changes nothing");
            Outcome::Refused
        }
        Err(Error::Unsupported { .. }) => {
            assert_eq!(disk.tree(), before, "a refused opening changes nothing");
            Outcome::Refused
        }
        Err(error) => panic!("{error}"),
        Ok((log, _writer)) => {
            let (found, damage) = read_until_damage(|from, limit| log.read_all(from, limit));
            let found: Vec<Entry> = found.iter().map(Entry::of).collect();
            assert!(model.confirmed.starts_with(&found), "what is there is what was written");
            if let Some(damage) = damage {
                assert!(damage.is_damage(), "{damage}");
                assert_eq!(log.durable().get(), model.confirmed.len() as u64 + 1);
                return Outcome::Met;
            }
            assert!(found.last().is_none_or(|entry| entry.last), "no group is cut");
            if found.len() == model.confirmed.len() { Outcome::Whole } else { Outcome::Short(found.len()) }
        }
    }
}

/// A reader may fall silent only where opening may.
fn check_reader(disk: &Disk, model: &Model, may_be_short: bool) {
    match Reader::open(disk.process()) {
        Ok(reader) => {
            let (seen, damage) = read_until_damage(|from, limit| reader.read_all(from, limit));
            let seen: Vec<Entry> = seen.iter().map(Entry::of).collect();
            assert!(model.confirmed.starts_with(&seen));
            assert!(damage.is_none() || reader.damage().is_some());
            let is_told = reader.damage().is_some() || reader.unconfirmed() > 0;
            assert!(seen.len() == model.confirmed.len() || is_told || may_be_short);
        }
        Err(error) => assert!(error.is_damage() || matches!(error, Error::Unsupported { .. }), "{error}"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Present,
    Stale,
    Absent,
}

/// The logs of every way to be left, with every kind of WATERMARK.
fn logs() -> Vec<(Disk, Model, Left, Mark)> {
    let mut logs = Vec::new();
    for left in [Left::PowerCut, Left::Idle, Left::Closed] {
        for mark in [Mark::Present, Mark::Stale, Mark::Absent] {
            let (disk, model) = small(left);
            match mark {
                Mark::Present => disk.edit("WATERMARK", |_| ()),
                Mark::Stale => disk.edit("WATERMARK", |bytes| {
                    let watermark = Watermark::decode(bytes).unwrap();
                    let position = Position::new(3).unwrap();
                    *bytes = Watermark { position, end: Offset::new(8400), ..watermark }.encode();
                }),
                Mark::Absent => disk.take_away("WATERMARK"),
            }
            logs.push((disk, model, left, mark));
        }
    }
    logs
}

/// Only the last write of a log that was cut off can look torn, and only when nothing beside it says otherwise.
fn may_be_short(left: Left, mark: Mark) -> bool {
    left == Left::PowerCut && mark != Mark::Present
}

fn check_damage(disk: &Disk, model: &Model, (left, mark): (Left, Mark), what: &str) {
    let may_be_short = may_be_short(left, mark);
    check_reader(disk, model, may_be_short);
    match outcome(disk, model) {
        Outcome::Refused | Outcome::Met | Outcome::Whole => {}
        Outcome::Short(events) => {
            assert!(may_be_short, "{what} is silent, left by {left:?}, WATERMARK {mark:?}");
            assert_eq!(events, 4, "{what} loses more than the last write");
        }
    }
}

#[test]
fn test_19_any_flipped_bit_is_refused_or_harmless_and_never_silent_beside_watermark() {
    for (disk, model, left, mark) in logs() {
        let end = end_of_data(&disk.tree()[FIRST]) + 40;
        let clean = verify(disk.process()).unwrap();
        assert_eq!((clean.events, clean.findings.len(), clean.torn.len()), (7, 0, 0));
        // Strides that share no factor with eight meet every byte's neighbourhood and all its bits in turn.
        let stride = if long() > 1 {
            1
        } else if mark == Mark::Present {
            7
        } else {
            41
        };
        let header = (0..96 * 8).chain(4096 * 8..(4096 + 96) * 8).step_by(37);
        for bit in header.chain((FRAMES * 8..end * 8).step_by(stride)) {
            let flipped = disk.fork(1);
            flipped.edit(FIRST, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
            match verify(flipped.process()) {
                Ok(report) => assert!(!report.findings.is_empty() || !report.torn.is_empty(), "bit {bit}"),
                Err(error) => assert!(matches!(error, Error::Unsupported { .. })),
            }
            check_damage(&flipped, &model, (left, mark), &format!("bit {bit}"));
        }
    }
}

/// A log that fills a few sectors, and the file as it was before its last write.
fn sectors() -> (Disk, Model, Vec<u8>) {
    let disk = Disk::new(1);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.work(&mut Dice::new(9), 5).unwrap();
    let before = disk.tree()[FIRST].clone();
    session.write(vec![(stream(1), Expected::Any, frames(&mut Dice::new(3), &[400, 300]))]).unwrap();
    session.sync().unwrap();
    drop(session);
    disk.kill();
    disk.edit("WATERMARK", |_| ());
    (disk, model, before)
}

#[test]
fn test_20_sectors_that_are_lost_misdirected_or_stale_are_refused() {
    let (disk, model, before) = sectors();
    let now = disk.tree()[FIRST].clone();
    let range = |sector: usize| sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
    let used = end_of_data(&now).div_ceil(SECTOR_BYTES);
    assert!(used - FRAMES / SECTOR_BYTES > 4);
    let mut refused = 0;
    let mut check = |edit: &dyn Fn(&mut Vec<u8>), what: String| {
        let changed = disk.fork(1);
        changed.edit(FIRST, |bytes| edit(bytes));
        if changed.tree()[FIRST] != now {
            check_reader(&changed, &model, false);
            let outcome = outcome(&changed, &model);
            assert!(!matches!(outcome, Outcome::Short(_)), "{what}: {outcome:?}");
            refused += usize::from(matches!(outcome, Outcome::Refused | Outcome::Met));
        }
    };
    for sector in 0..used {
        check(&|bytes| bytes[range(sector)].fill(0), format!("sector {sector} zeroed"));
        check(&|bytes| bytes[range(sector)].copy_from_slice(&before[range(sector)]), format!("sector {sector} stale"));
        for other in 0..sector {
            let swap = |bytes: &mut Vec<u8>| {
                bytes[range(sector)].copy_from_slice(&now[range(other)]);
                bytes[range(other)].copy_from_slice(&now[range(sector)]);
            };
            check(&swap, format!("sectors {sector} and {other} swapped"));
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn test_21_one_copy_of_a_header_is_enough_and_none_is_damage() {
    let (disk, model) = small(Left::Closed);
    let damage = |places: &[usize]| {
        let damaged = disk.fork(1);
        damaged.edit(FIRST, |bytes| places.iter().for_each(|place| bytes[*place] ^= 1));
        let findings = verify(damaged.process()).unwrap().findings;
        (outcome(&damaged, &model), findings)
    };
    for (place, copy) in [(40, "first"), (4096 + 40, "second")] {
        let (outcome, findings) = damage(&[place]);
        assert_eq!(outcome, Outcome::Whole);
        let cause = Damage::HeaderCopy { copy, cause: HeaderError::Checksum };
        assert_eq!(findings.first().map(|finding| finding.cause.clone()), Some(cause));
    }
    let (outcome, findings) = damage(&[40, 4096 + 40]);
    assert_eq!(outcome, Outcome::Refused);
    assert!(matches!(findings.first().map(|finding| &finding.cause), Some(Damage::Header { .. })));
}

/// A log of four segments or more, and their names.
fn chain() -> (Disk, Model, Vec<String>) {
    let disk = Disk::new(1);
    let mut model = Model::default();
    script(&disk, &mut model).unwrap();
    disk.kill();
    let names: Vec<String> = disk.tree().into_keys().filter(|name| name.ends_with(".seg")).collect();
    assert!(names.len() >= 4);
    for name in &names {
        disk.edit(name, |_| ());
    }
    disk.edit("WATERMARK", |_| ());
    (disk, model, names)
}

#[test]
fn test_22_a_segment_that_is_missing_or_short_is_refused() {
    let (disk, model, names) = chain();
    for name in &names {
        let missing = disk.fork(1);
        missing.take_away(name);
        check_reader(&missing, &model, false);
        assert_eq!(outcome(&missing, &model), Outcome::Refused, "{name}");
        let report = verify(missing.process()).unwrap();
        assert!(!report.findings.is_empty(), "{name}");
    }
    let all = disk.fork(1);
    names.iter().for_each(|name| all.take_away(name));
    assert_eq!(outcome(&all, &model), Outcome::Refused);
    assert!(Reader::open(all.process()).is_err_and(|error| error.is_damage()));

    let newest = names.last().unwrap();
    let length = disk.tree()[newest].len();
    for cut in (0..length).step_by(if long() > 1 { 1 } else { 37 }) {
        let short = disk.fork(1);
        short.edit(newest, |bytes| bytes.truncate(cut));
        assert_eq!(outcome(&short, &model), Outcome::Refused, "cut to {cut} bytes");
        assert!(!verify(short.process()).unwrap().findings.is_empty(), "cut to {cut} bytes");
    }
}

#[test]
fn test_22_damage_in_a_sealed_segment_is_said_with_its_place_and_what_stands_before_it_can_be_read() {
    let (disk, model, names) = chain();
    let (log, writer) = Log::open(disk.process(), &options(70)).unwrap();
    let records = log.read_all(Position::FIRST, 1_000).unwrap();
    let hit = records.iter().find(|record| record.segment.get() == 2 && !record.first).unwrap();
    let group = records.iter().rfind(|record| record.first && record.position < hit.position).unwrap();
    drop(writer);
    disk.kill();
    disk.edit(&names[1], |bytes| bytes[hit.offset.get() as usize + 60] ^= 4);
    let before: Vec<Entry> = records.iter().map(Entry::of).take(hit.position.get() as usize - 1).collect();
    let check = |damage: Option<Error>| {
        let Some(Error::Damaged { segment, offset, missing, path, .. }) = damage else { panic!("{damage:?}") };
        assert_eq!((segment.get(), offset, missing), (2, hit.offset, hit.position));
        assert!(path.ends_with("log/0000000002.seg"));
    };
    // Opening trusts what is sealed; who reads the place is told, and all else can be read.
    let (log, mut writer) = Log::open(disk.process(), &options(71)).unwrap();
    assert_eq!(log.durable().get(), model.confirmed.len() as u64 + 1);
    let (read, damage) = read_until_damage(|from, limit| log.read_all(from, limit));
    assert_eq!(read.iter().map(Entry::of).collect::<Vec<_>>(), before);
    check(damage);
    assert_eq!(log.read_all(hit.position.next(), 3).unwrap(), records[hit.position.get() as usize..][..3]);
    let newest = records.last().unwrap().stream;
    writer.write(vec![Group::new(newest, Expected::Any, now(), frames(&mut Dice::new(1), &[3])).unwrap()]).unwrap();
    writer.sync().unwrap();
    drop((log, writer));
    disk.kill();
    let reader = Reader::open(disk.process()).unwrap();
    assert!(reader.damage().is_none());
    let (read, damage) = read_until_damage(|from, limit| reader.read_all(from, limit));
    assert_eq!(read.iter().map(Entry::of).collect::<Vec<_>>(), before);
    check(damage);
    check(reader.damage());
    let report = verify(disk.process()).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!((report.findings[0].segment.get(), report.findings[0].offset), (2, hit.offset));
    assert_eq!(report.findings[0].position, group.position, "a group is there whole or not");
    let mut dumped = 0;
    let mut count = |_: &_| {
        dumped += 1;
        ControlFlow::Continue(())
    };
    let error = dump(disk.process(), &mut count).unwrap_err();
    assert!(error.is_damage() && dumped > 0);
}

#[test]
fn test_23_segments_of_other_logs_and_swapped_segments_are_refused() {
    let (disk, model, names) = chain();
    let (other, _, _) = {
        let disk = Disk::new(2);
        let mut model = Model { opened: 5_000, ..Model::default() };
        script(&disk, &mut model).unwrap();
        (disk, model, ())
    };
    for name in &names {
        let foreign = disk.fork(1);
        let bytes = other.tree()[name].clone();
        foreign.edit(name, |own| *own = bytes);
        assert_eq!(outcome(&foreign, &model), Outcome::Refused, "{name}");
        check_reader(&foreign, &model, false);
    }
    let tree = disk.tree();
    for (one, two) in [(0, 1), (1, 2), (1, names.len() - 1)] {
        let swapped = disk.fork(1);
        swapped.edit(&names[one], |bytes| bytes.clone_from(&tree[&names[two]]));
        swapped.edit(&names[two], |bytes| bytes.clone_from(&tree[&names[one]]));
        assert_eq!(outcome(&swapped, &model), Outcome::Refused);
        assert!(!verify(swapped.process()).unwrap().findings.is_empty());
    }
}

#[test]
fn test_24_frames_inside_a_payload_prove_nothing() {
    let disk = Disk::new(24);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.work(&mut Dice::new(1), 1).unwrap();
    let place = end_of_frames(&disk);
    let payload = disk.tree()[FIRST][FRAMES..place].to_vec();
    let mut group = frames(&mut Dice::new(1), &[600, 1]);
    group[1].payload = payload;
    session.write(vec![(stream(1), Expected::Any, group)]).unwrap();
    disk.kill();
    // The first frame is torn, the frames inside the second are whole.
    disk.edit(FIRST, |bytes| bytes[place + 100] ^= 1);
    assert_eq!(outcome(&disk, &model), Outcome::Whole);
}

/// A log of one event, and a frame of its own making behind it.
fn forged(head: impl FnOnce(&mut Head), payload: &[u8], patch: impl FnOnce(&mut [u8])) -> (Disk, Model) {
    let disk = Disk::new(25);
    let mut model = Model::default();
    let mut session = Session::open(&disk, &mut model).unwrap();
    session.write(vec![(stream(1), Expected::Any, frames(&mut Dice::new(1), &[8]))]).unwrap();
    session.sync().unwrap();
    drop(session);
    disk.kill();
    let salt = Header::decode(&disk.tree()[FIRST]).unwrap().salt;
    let mut forged = Head {
        behind: 0,
        flags: Flags::of(0, 1),
        codec: 1,
        kind: 5,
        position: Position::new(2).unwrap(),
        stream: stream(1),
        sequence: Sequence::new(2),
        recorded_at: Timestamp::from_microseconds(2_000_000),
    };
    head(&mut forged);
    let mut frame = Vec::new();
    record::encode(&mut frame, salt, Offset::new(FRAMES as u64 + 64), &forged, payload);
    patch(&mut frame);
    disk.edit(FIRST, |bytes| bytes[FRAMES + 64..FRAMES + 64 + frame.len()].copy_from_slice(&frame));
    (disk, model)
}

#[test]
fn test_25_frames_that_nobody_can_have_written_are_refused_and_others_are_torn_or_whole() {
    let position = |number: u64| Position::new(number).unwrap();
    let control = |kind: u16| {
        move |head: &mut Head| {
            (head.flags, head.kind, head.sequence, head.stream) = (Flags::CONTROL, kind, None, StreamId::NONE);
        }
    };
    type Forge = Box<dyn FnOnce(&mut Head)>;
    let refused: Vec<(&str, Forge, Vec<u8>)> = vec![
        ("a position ahead", Box::new(move |head| head.position = position(9)), vec![1]),
        ("a position again", Box::new(move |head| head.position = position(1)), vec![1]),
        ("the last position of all", Box::new(move |head| head.position = position(u64::MAX)), vec![1]),
        ("no FIRST", Box::new(|head| head.flags = Flags::of(1, 2)), vec![1]),
        ("a sequence ahead", Box::new(|head| head.sequence = Sequence::new(3)), vec![1]),
        ("the last sequence of all", Box::new(|head| head.sequence = Sequence::new(u64::MAX)), vec![1]),
        ("a new stream's second event", Box::new(|head| head.stream = stream(2)), vec![1]),
        ("no stream", Box::new(|head| head.stream = StreamId::NONE), vec![1]),
        ("no sequence", Box::new(|head| head.sequence = None), vec![1]),
        ("time runs back", Box::new(|head| head.recorded_at = Timestamp::from_microseconds(5)), vec![1]),
        ("a witness before the first position", Box::new(|head| head.behind = 2), vec![1]),
        ("an unknown control frame", Box::new(control(9)), vec![1]),
        ("an origin in the middle", Box::new(control(ORIGIN)), vec![0; 24]),
        ("a witness that says something else", Box::new(control(WITNESS)), vec![3, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for (what, head, payload) in refused {
        let (disk, model) = forged(head, &payload, |_| ());
        assert_eq!(outcome(&disk, &model), Outcome::Refused, "{what}");
        let report = verify(disk.process()).unwrap();
        assert_eq!(report.findings.len(), 1, "{what}: {report:?}");
    }
    let length = |length: u32| move |frame: &mut [u8]| frame[..4].copy_from_slice(&length.to_le_bytes());
    for (what, patch) in [("huge", length(u32::MAX)), ("none", length(0)), ("another", length(2))] {
        let (disk, model) = forged(|_| (), &[1], patch);
        assert_eq!(outcome(&disk, &model), Outcome::Whole, "a length that is {what} is a tear");
    }
    for head in [Box::new(|_: &mut Head| ()) as Forge, Box::new(|head: &mut Head| head.codec = 99)] {
        let (disk, mut model) = forged(head, &[7], |_| ());
        let entry = Entry { stream: stream(1), sequence: 2, kind: 5, payload: vec![7], first: true, last: true };
        model.confirmed.push(entry);
        assert_eq!(outcome(&disk, &model), Outcome::Whole, "whole frames are events, however they are encoded");
    }
    let (disk, model) = forged(control(CLOSE), &2_u64.to_le_bytes(), |_| ());
    assert_eq!(outcome(&disk, &model), Outcome::Whole);
}

#[test]
fn test_25_formats_and_features_of_newer_versions_are_said_by_name() {
    let (disk, _) = small(Left::Closed);
    for (place, expected) in [(8, HeaderError::Format { format: 3 }), (12, HeaderError::Features { features: 2 })] {
        let newer = disk.fork(1);
        newer.edit(FIRST, |bytes| {
            for copy in [0, 4096] {
                bytes[copy + place] ^= 2;
                let crc = record::checksum(&[&bytes[copy..copy + 4092]]);
                bytes[copy + 4092..copy + 4096].copy_from_slice(&crc.to_le_bytes());
            }
        });
        let is_said = |error: Error| matches!(&error, Error::Unsupported { cause, .. } if *cause == expected);
        assert!(Log::open(newer.process(), &options(1)).is_err_and(is_said));
        assert!(Reader::open(newer.process()).is_err_and(is_said));
        assert!(verify(newer.process()).is_err_and(is_said));
    }
}

#[test]
fn test_26_bytes_that_mean_nothing_are_found_when_they_are_not_zero() {
    let (disk, model) = small(Left::Closed);
    let padded = disk.fork(1);
    // The first payload has nine bytes, so that seven of padding follow.
    padded.edit(FIRST, |bytes| bytes[FRAMES + 56 + 9 + 3] = 1);
    assert_eq!(outcome(&padded, &model), Outcome::Refused);
    assert!(!verify(padded.process()).unwrap().findings.is_empty());

    let tail = disk.fork(1);
    let place = end_of_data(&disk.tree()[FIRST]) + 500;
    tail.edit(FIRST, |bytes| bytes[place] = 1);
    let report = verify(tail.process()).unwrap();
    assert!(report.findings.is_empty());
    assert_eq!(report.torn.iter().map(|torn| torn.offset).collect::<Vec<_>>(), [Offset::new(place as u64)]);
    assert_eq!(outcome(&tail, &model), Outcome::Whole);

    // A CLOSE that is gone takes no event with it; only WATERMARK knows that it was there.
    let closed = disk.fork(1);
    let end = end_of_data(&disk.tree()[FIRST]).next_multiple_of(8);
    closed.edit(FIRST, |bytes| bytes[end - 64..end].fill(0));
    let report = verify(closed.process()).unwrap();
    assert!(matches!(report.findings[..], [ref finding] if matches!(finding.cause, Damage::EndMissing { .. })));
    assert_eq!(outcome(&closed, &model), Outcome::Whole);
}

#[test]
fn test_27_a_refused_opening_leaves_every_byte_as_it_was() {
    let (disk, model, names) = chain();
    disk.put("CONTROL", b"{\"version\":1,\"pid\":77,\"path\":null}\n");
    disk.put("log/00000000000000ff.tmp", &[1; 9000]);
    disk.put("log/notes.txt", b"not ours");
    disk.edit(names.last().unwrap(), |bytes| bytes[FRAMES + 70] ^= 1);
    assert_eq!(outcome(&disk, &model), Outcome::Refused);
}

#[test]
fn test_28_a_watermark_that_went_further_is_refused_with_the_hint_about_copies() {
    let (disk, model) = small(Left::PowerCut);
    let copy = disk.fork(2);
    let mut further = Model { confirmed: model.confirmed.clone(), ..Model::default() };
    let mut session = Session::open(&copy, &mut further).unwrap();
    session.work(&mut Dice::new(1), 1).unwrap();
    let watermark = copy.tree()["WATERMARK"].clone();
    disk.edit("WATERMARK", |bytes| *bytes = watermark);
    let error = Log::open(disk.process(), &options(3)).map(drop).unwrap_err();
    let Error::Damaged { cause, missing, proven, .. } = &error else { panic!("{error}") };
    assert_eq!(*cause, Damage::EventsMissing { evidence: Evidence::Watermark });
    assert!(cause.to_string().contains("copy"), "{cause}");
    assert_eq!((missing.get(), proven.get()), (8, further.confirmed.len() as u64 + 1));

    // That of another log is no evidence.
    let foreign = Watermark {
        log_id: LogId::from_bytes([9; 16]),
        position: Position::new(1_000).unwrap(),
        number: SegmentNumber::FIRST,
        end: Offset::new(9_000),
    };
    disk.edit("WATERMARK", |bytes| *bytes = foreign.encode());
    assert_eq!(outcome(&disk, &model), Outcome::Whole);
}
