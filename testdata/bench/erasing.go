package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// erasing measures erasure on the Firestore emulator, by the benchmarks of the store: the emulator is theirs to start.
// Without one there are no rows.
func (b *bench) erasing(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Erasing|Reads)$", "-benchtime", strconv.Itoa(b.runs)+"x", "-timeout", "20m", "./shared/erasure/firestore")
	cmd.Dir, cmd.Stderr = b.root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	told := metrics(string(out))
	ours, whole, bare := told["BenchmarkErasing erased/s"], told["BenchmarkErasing requested/s"], told["BenchmarkErasing bulkwriter/s"]
	few, many := told["BenchmarkReads/others=1000 reads/person"], told["BenchmarkReads/others=10000 reads/person"]
	if bare == 0 || few == 0 {
		fmt.Fprintln(os.Stderr, "no Firestore emulator here: erasing is not measured")
		return nil
	}
	rate := func(perSecond float64) string { return often(time.Duration(float64(time.Second)/perSecond), 1) }
	for _, r := range []struct {
		what string
		rate float64
	}{{"erase 1500 documents of a person on the Firestore emulator", ours}, {"the whole request: planned, erased, searched again", whole}} {
		b.add(row{r.what, rate(r.rate), rate(bare), "the client's `BulkWriter` deleting the same paths", r.rate / bare})
	}
	b.add(row{"documents read for the request of a person with 25, among 10000 others", fmt.Sprint(many), fmt.Sprint(few), "the same among 1000 others", many / few})
	return nil
}

var (
	benchLine  = regexp.MustCompile(`^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)
	metricPair = regexp.MustCompile(`([0-9.e+]+) (\S+)`)
)

// metrics reads what go test prints of benchmarks: values by name and unit.
func metrics(out string) map[string]float64 {
	told := map[string]float64{}
	for line := range strings.Lines(out) {
		found := benchLine.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue
		}
		for _, pair := range metricPair.FindAllStringSubmatch(strings.ReplaceAll(found[2], "\t", " "), -1) {
			if value, err := strconv.ParseFloat(pair[1], 64); err == nil {
				told[found[1]+" "+pair[2]] = value
			}
		}
	}
	return told
}
