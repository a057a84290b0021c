package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// describe names the machine, as far as figures depend on it: the time of a small durable write says most.
func describe(dir string) (string, error) {
	var writes []time.Duration
	f, err := os.Create(filepath.Join(dir, "probe"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	for range 101 {
		from := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return "", err
		}
		if err := f.Sync(); err != nil {
			return "", err
		}
		writes = append(writes, time.Since(from))
	}
	return fmt.Sprintf("%s: %d cores of %s, %s/%s, %s, 4 KiB written and synced in %s", time.Now().UTC().Format(time.DateOnly),
		runtime.NumCPU(), processor(), runtime.GOOS, runtime.GOARCH, runtime.Version(), short(median(writes))), nil
}

// processor is the model Linux tells; elsewhere nobody is asked.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return "an unnamed processor"
}
