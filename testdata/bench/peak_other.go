//go:build !unix

package main

import (
	"os"
	"time"
)

// peak is 0: this system does not tell what memory a process held.
func peak(*os.ProcessState) int64 { return 0 }

// worked is 0: this system does not tell here what time the processors had.
func worked() time.Duration { return 0 }
