use std::{fs, path::Path, sync::atomic::Ordering, time::Duration};

use super::{ChunkKey, DiskCache, LOCK, ObjectVersion, SEAL};
use crate::{cache::key::Home, storage::local::FileVersion};

fn chunk(n: u64) -> ChunkKey {
    let stamp = FileVersion::tagged(1000 + n, 0, Some("tag"));
    ObjectVersion::of(&Home::of("s3", "films"), &format!("{n}.ts"), stamp).chunk_at(0)
}

/// A chunk as it lies in the folder, spoilt: nobody has looked at it.
fn put(folder: &Path, chunk: ChunkKey) {
    let length = usize::try_from(chunk.length()).expect("small") + SEAL;
    fs::write(folder.join(chunk.file_name()), vec![7; length]).expect("written");
}

fn names(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.filter(|entry| entry.file_name() != LOCK).count()
}

#[tokio::test]
async fn one_keeps_house_and_the_others_change_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    (0..20).for_each(|n| put(folder, chunk(n)));
    fs::write(folder.join(".tmp-1-1"), "half").expect("written");
    let owner = DiskCache::to_share(folder, 1 << 20);
    let stop = tokio_util::sync::CancellationToken::new();
    owner.clone().keep_house(stop.clone()).await;
    assert!(owner.owns());
    assert_eq!(names(folder), 20, "what was half written is cleaned up");
    fs::write(folder.join(".tmp-1-2"), "half").expect("written");

    // Neither a small bound, nor a chunk that is spoilt, nor what is half written is their affair.
    let second = DiskCache::to_share(folder, 3000);
    let waits = tokio::spawn(second.clone().keep_house(stop.clone()));
    for other in [&second, &DiskCache::to_read(folder)] {
        other.rescan();
        let _ = other.bytes();
        assert!(other.take(chunk(3)).is_ok_and(|file| file.is_none()));
        assert!(!other.owns());
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(names(folder), 21);

    drop(owner);
    tokio::time::timeout(Duration::from_secs(10), waits).await.expect("in time").expect("no panic");
    assert!(second.owns());
    second.bytes();
    assert!(names(folder) <= 3, "{} files", names(folder));
    stop.cancel();
}

#[test]
fn a_look_makes_no_folder() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("none/cache");
    let shelf = DiskCache::to_read(&folder);
    shelf.rescan();
    assert!(shelf.take(chunk(1)).is_ok_and(|file| file.is_none()));
    shelf.usable().expect("it can be made");
    assert!(!home.path().join("none").exists());
    fs::write(home.path().join("file"), "x").expect("written");
    assert!(DiskCache::to_read(&home.path().join("file")).usable().is_err());
}

#[test]
fn what_earlier_releases_kept_is_cleaned_up() {
    let home = tempfile::tempdir().expect("a folder");
    let old =
        ["00000000000000aa-5-00000000000000bb-0", "00000000000000aa-1000001-00000000000000bb-4"];
    for name in old {
        fs::write(home.path().join(name), "x").expect("written");
    }
    put(home.path(), chunk(1));
    DiskCache::to_read(home.path()).rescan();
    assert_eq!(names(home.path()), 3);
    let shelf = DiskCache::new(home.path(), 1 << 20);
    shelf.rescan();
    assert_eq!(names(home.path()), 1);
    assert!(shelf.holds(chunk(1)));
}

#[test]
fn states_of_an_object_are_found_and_forgotten() {
    let home = tempfile::tempdir().expect("a folder");
    let of = |tag: &str| {
        let stamp = FileVersion::tagged(500, 0, Some(tag));
        ObjectVersion::of(&Home::of("s3", "films"), "a.ts", stamp)
    };
    (0..5).for_each(|n| put(home.path(), chunk(n)));
    put(home.path(), of("old").chunk_at(0));
    let shelf = DiskCache::new(home.path(), 1 << 20);
    shelf.rescan();
    assert_eq!(shelf.any_of(of("new").name), Some(of("old")));
    shelf.forget_others(of("new"));
    shelf.bytes();
    assert_eq!(shelf.any_of(of("new").name), None);
    assert_eq!(shelf.0.objects.lock().len(), 5, "what is gone takes no room");
}

#[tokio::test]
async fn servers_over_one_folder_write_no_file_of_each_other() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    // Both have one process id, as in containers.
    let [first, second] = [(); 2].map(|()| DiskCache::to_share(folder, 1 << 20));
    let begun: Vec<_> = [&first, &second, &first, &second]
        .map(|shelf| shelf.begin().expect("a file").1)
        .into_iter()
        .collect();
    assert_eq!(names(folder), 4);
    // What is there is never written over, whoever made it.
    let number = first.0.next.load(Ordering::Relaxed);
    let taken = folder.join(format!("{}{number:x}", first.0.own));
    std::os::unix::fs::symlink(folder.join("elsewhere"), taken).expect("a link");
    assert!(first.begin().is_err());
    assert!(!folder.join("elsewhere").exists());
    // Who takes the folder over throws away what others began, and nothing of its own.
    second.clone().keep_house(tokio_util::sync::CancellationToken::new()).await;
    let left = begun.iter().map(|path| path.exists()).collect::<Vec<_>>();
    assert_eq!(left, [false, true, false, true]);
}
