// SPDX-License-Identifier: MIT

// A peer's worker in Go (struct bench_peer in src/bench/bench.h): os/exec.
//
//	worker WAY WORKLOAD X
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	page           = 4096
	mostOperations = 100000
	mostTasks      = 100000
)

// What a command is told beside its program. A new user namespace takes Go from vfork to fork.
var ways = map[string]func() *syscall.SysProcAttr{
	"default": func() *syscall.SysProcAttr { return nil },
	"userns": func() *syscall.SysProcAttr {
		return &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
	},
}

// What must live as long as the worker.
var (
	heap  []byte
	files []*os.File
)

func touchHeap(x int) error {
	heap = make([]byte, x)
	for at := 0; at < x; at += page {
		heap[at] = 1
	}
	return nil
}

// 0 to x - 1 are open then.
func openDescriptors(x int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	for fd := 2; fd < x-1; {
		file, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
		if err != nil {
			return err
		}
		fd = int(file.Fd())
		files = append(files, file)
	}
	return nil
}

// Each a touched page. Neighbours differ in protection, or they would be one mapping.
func makeMappings(x int) error {
	if x == 0 {
		return nil
	}
	const both = syscall.PROT_READ | syscall.PROT_WRITE
	pages, err := syscall.Mmap(-1, 0, x*page, both, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return err
	}
	for i := 0; i < x; i++ {
		one := pages[i*page : (i+1)*page]
		if i%2 == 1 {
			if err := syscall.Mprotect(one, both|syscall.PROT_EXEC); err != nil {
				return err
			}
		}
		one[0] = 1
	}
	return nil
}

func nothing(int) error { return nil }

var scenes = map[string]func(int) error{
	"launch":     touchHeap,
	"fds":        openDescriptors,
	"maps":       makeMappings,
	"burst":      nothing,
	"blocked":    touchHeap,
	"namespaces": nothing,
}

func die(what ...any) {
	fmt.Fprintln(os.Stderr, append([]any{"worker:"}, what...)...)
	os.Exit(1)
}

func cannot(what ...any) {
	fmt.Println(append([]any{"cannot:"}, what...)...)
	os.Exit(0)
}

// Nanoseconds, of a task where there are several.
func operate(
	program string, attributes func() *syscall.SysProcAttr, count int, onlyStart bool,
) int64 {
	running := make([]*exec.Cmd, count)
	begun := time.Now()
	for i := range running {
		running[i] = &exec.Cmd{
			Path:        program,
			Args:        []string{"true"},
			Env:         []string{"PATH=/usr/bin:/bin"},
			Stdin:       os.Stdin,
			Stdout:      os.Stdout,
			Stderr:      os.Stderr,
			SysProcAttr: attributes(),
		}
		if err := running[i].Start(); err != nil {
			die(err)
		}
	}
	taken := time.Since(begun)
	for _, command := range running {
		if err := command.Wait(); err != nil {
			die(program+":", err)
		}
	}
	if !onlyStart {
		taken = time.Since(begun)
	}
	return taken.Nanoseconds() / int64(count)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintf(os.Stderr, "usage: %s WAY WORKLOAD X\n", os.Args[0])
		os.Exit(2)
	}
	workload := os.Args[2]
	attributes, known := ways[os.Args[1]]
	x, err := strconv.Atoi(os.Args[3])
	if !known || err != nil || x < 0 {
		fmt.Fprintf(os.Stderr, "usage: %s WAY WORKLOAD X\n", os.Args[0])
		os.Exit(2)
	}
	program, set := os.LookupEnv("RAMET_BENCH_PROGRAM")
	if !set {
		die("RAMET_BENCH_PROGRAM is not set")
	}
	scene, known := scenes[workload]
	if !known || (workload == "namespaces" && attributes() == nil) {
		cannot("this worker has no such workload")
	}
	count := 1
	if workload == "burst" {
		if count = x; x < 1 || x > mostTasks {
			cannot("so many tasks at a time are not for this worker")
		}
	}
	if err := scene(x); err != nil {
		cannot("the scene cannot be set:", err)
	}
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		wanted, err := strconv.Atoi(lines.Text())
		if err != nil || wanted < 1 || wanted > mostOperations {
			die("wanted is a number of operations")
		}
		numbers := make([]string, wanted)
		for i := range numbers {
			numbers[i] = strconv.FormatInt(
				operate(program, attributes, count, workload == "blocked"), 10)
		}
		fmt.Println(strings.Join(numbers, " "))
	}
}
