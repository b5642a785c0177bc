//! Folders of tests in memory: the program forces what it writes to the disk, and a disk is slow at that.

use std::path::Path;

/// The least room, in bytes: containers often have 64 MiB.
const ROOM: u64 = 4 << 30;

#[ctor::ctor(unsafe)]
fn use_memory() {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).map(|it| it.f_bavail * it.f_frsize);
    if room.is_ok_and(|room| room >= ROOM) {
        let _ = tempfile::env::override_temp_dir(memory);
    }
}
