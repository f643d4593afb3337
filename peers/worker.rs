// SPDX-License-Identifier: MIT
//! A peer's worker in Rust (struct bench_peer in src/bench/bench.h): std::process, std::thread.
//!
//!     worker WAY WORKLOAD X

use std::env;
use std::ffi::c_void;
use std::fs::OpenOptions;
use std::io::{self, BufRead, Error, Write};
use std::os::unix::io::IntoRawFd;
use std::os::unix::process::CommandExt;
use std::process::{exit, Child, Command};
use std::thread::{self, JoinHandle};
use std::time::Instant;

const PAGE: usize = 4096;
const MOST_OPERATIONS: usize = 100_000;
const MOST_TASKS: usize = 100_000;

const RLIMIT_NOFILE: i32 = 7;
const PROT_READ: i32 = 1;
const PROT_WRITE: i32 = 2;
const PROT_EXEC: i32 = 4;
const MAP_PRIVATE: i32 = 2;
const MAP_ANONYMOUS: i32 = 0x20;

// Of the C library, which std has linked; std shows none of these.
extern "C" {
    fn getuid() -> u32;
    fn getrlimit(resource: i32, limit: *mut [usize; 2]) -> i32;
    fn setrlimit(resource: i32, limit: *const [usize; 2]) -> i32;
    fn mmap(at: *mut c_void, size: usize, prot: i32, flags: i32, fd: i32, offset: i64)
        -> *mut c_void;
    fn mprotect(at: *mut c_void, size: usize, prot: i32) -> i32;
}

/// `Uid` takes Command from posix_spawn to fork.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Default,
    Uid,
    Thread,
}

enum Task {
    Program(Child),
    Thread(JoinHandle<()>),
}

fn die(what: &str) -> ! {
    eprintln!("worker: {what}");
    exit(1)
}

fn cannot(what: &str) -> ! {
    println!("cannot: {what}");
    exit(0)
}

fn usage() -> ! {
    eprintln!("usage: worker default|uid|thread WORKLOAD X");
    exit(2)
}

fn checked(result: i32) -> io::Result<()> {
    if result < 0 {
        return Err(Error::last_os_error());
    }
    Ok(())
}

// ---- Scenes. What they make is never given back. ----------------------------------------------

fn touch_heap(x: usize) -> io::Result<()> {
    let mut heap = Vec::<u8>::new();
    heap.try_reserve_exact(x).map_err(|e| Error::new(io::ErrorKind::OutOfMemory, e))?;
    for at in (0..x).step_by(PAGE) {
        // Volatile, or the compiler sees that nobody reads it.
        unsafe { heap.as_mut_ptr().add(at).write_volatile(1) };
    }
    std::mem::forget(heap);
    Ok(())
}

/// 0 to x - 1 are open then.
fn open_descriptors(x: usize) -> io::Result<()> {
    let mut limit = [0, 0];
    checked(unsafe { getrlimit(RLIMIT_NOFILE, &mut limit) })?;
    limit[0] = limit[1];
    checked(unsafe { setrlimit(RLIMIT_NOFILE, &limit) })?;
    let mut open = 3;
    while open < x {
        let file = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        open = file.into_raw_fd() as usize + 1;
    }
    Ok(())
}

/// Each a touched page. Neighbours differ in protection, or they would be one mapping.
fn make_mappings(x: usize) -> io::Result<()> {
    if x == 0 {
        return Ok(());
    }
    let (flags, none) = (MAP_PRIVATE | MAP_ANONYMOUS, std::ptr::null_mut());
    let pages = unsafe { mmap(none, x * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) };
    if pages as isize == -1 {
        return Err(Error::last_os_error());
    }
    for i in 0..x {
        unsafe {
            let page = pages.cast::<u8>().add(i * PAGE);
            if i % 2 == 1 {
                checked(mprotect(page.cast(), PAGE, PROT_READ | PROT_WRITE | PROT_EXEC))?;
            }
            page.write(1);
        }
    }
    Ok(())
}

fn set_scene(workload: &str, x: usize) -> io::Result<()> {
    match workload {
        "launch" | "blocked" => touch_heap(x),
        "fds" => open_descriptors(x),
        "maps" => make_mappings(x),
        _ => Ok(()),
    }
}

// ---- Operations -------------------------------------------------------------------------------

fn start(way: Way, program: &str) -> Task {
    if way == Way::Thread {
        return Task::Thread(thread::spawn(|| ()));
    }
    let mut command = Command::new(program);
    command.arg0("true").env_clear().env("PATH", "/usr/bin:/bin");
    if way == Way::Uid {
        command.uid(unsafe { getuid() });
    }
    match command.spawn() {
        Ok(child) => Task::Program(child),
        Err(error) => die(&format!("{program}: {error}")),
    }
}

fn finish(task: Task, program: &str) {
    match task {
        Task::Thread(thread) => thread.join().unwrap_or_else(|_| die("a thread panicked")),
        Task::Program(mut child) => match child.wait() {
            Ok(status) if status.success() => (),
            Ok(status) => die(&format!("{program}: {status}")),
            Err(error) => die(&format!("wait: {error}")),
        },
    }
}

/// Nanoseconds, of a task where there are several.
fn operate(way: Way, program: &str, count: usize, only_start: bool) -> u128 {
    let begun = Instant::now();
    let tasks: Vec<Task> = (0..count).map(|_| start(way, program)).collect();
    let started = begun.elapsed();
    tasks.into_iter().for_each(|task| finish(task, program));
    let taken = if only_start { started } else { begun.elapsed() };
    taken.as_nanos() / count as u128
}

fn serve(way: Way, program: &str, count: usize, only_start: bool) {
    println!("ready");
    for line in io::stdin().lock().lines() {
        let wanted: usize = line.ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        if wanted == 0 || wanted > MOST_OPERATIONS {
            die("wanted is a number of operations");
        }
        let numbers: Vec<String> = (0..wanted)
            .map(|_| operate(way, program, count, only_start).to_string())
            .collect();
        println!("{}", numbers.join(" "));
        io::stdout().flush().unwrap_or_else(|error| die(&error.to_string()));
    }
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() != 4 {
        usage();
    }
    let way = match arguments[1].as_str() {
        "default" => Way::Default,
        "uid" => Way::Uid,
        "thread" => Way::Thread,
        _ => usage(),
    };
    let workload = arguments[2].as_str();
    let x: usize = arguments[3].parse().unwrap_or_else(|_| usage());
    let program = env::var("RAMET_BENCH_PROGRAM")
        .unwrap_or_else(|_| die("RAMET_BENCH_PROGRAM is not set"));
    let of_programs = ["launch", "fds", "maps", "burst", "blocked"].contains(&workload);
    if (way == Way::Thread) != (workload == "thread") || !(of_programs || workload == "thread") {
        cannot("this worker has no such workload");
    }
    let several = workload == "burst" || workload == "thread";
    if several && (x == 0 || x > MOST_TASKS) {
        cannot("so many tasks at a time are not for this worker");
    }
    if let Err(error) = set_scene(workload, x) {
        cannot(&format!("the scene cannot be set: {error}"));
    }
    serve(way, &program, if several { x } else { 1 }, workload == "blocked");
}
