package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// profiled runs the work and writes what its CPU time went into to a file, for `go tool pprof`. Without a path it only
// runs the work.
func profiled(path string, work func() error) (err error) {
	if path == "" {
		return work()
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--cpu-profile: %w", tidyPath(err))
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("--cpu-profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return work()
}
