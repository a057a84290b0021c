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
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Erasing|Reads)$", "-benchtime", "1x", "-count", strconv.Itoa(b.runs), "-timeout", "20m", "./shared/erasure/firestore")
	cmd.Dir, cmd.Stderr = b.root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	told := metrics(string(out))
	ours, whole, bare := lasting(told["BenchmarkErasing erased/s"]), lasting(told["BenchmarkErasing requested/s"]), lasting(told["BenchmarkErasing bulkwriter/s"])
	few, many := told["BenchmarkReads/others=1000 reads/person"], told["BenchmarkReads/others=10000 reads/person"]
	if len(bare) == 0 || len(few) == 0 {
		fmt.Fprintln(os.Stderr, "no Firestore emulator here: erasing is not measured")
		return nil
	}
	const beside = "the client's `BulkWriter` deleting the same paths"
	b.paces("erase 1500 documents of a person on the Firestore emulator", 1, ours, bare, beside)
	b.paces("the whole request: planned, erased, searched again", 1, whole, bare, beside)
	b.add(row{measured: "documents read for the request of a person with 25, among 10000 others", ours: figure(median(many)), beside: figure(median(few)),
		what: "the same among 1000 others", ratio: through(many, few)})
	return nil
}

var (
	benchLine  = regexp.MustCompile(`^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)
	metricPair = regexp.MustCompile(`([0-9.e+]+) (\S+)`)
)

// lasting is how long one thing took, of so many a second in each run.
func lasting(perSecond []float64) (each []time.Duration) {
	for _, rate := range perSecond {
		each = append(each, time.Duration(float64(time.Second)/rate))
	}
	return each
}

// metrics reads what go test prints of benchmarks: the values of each run, by name and unit.
func metrics(out string) map[string][]float64 {
	told := map[string][]float64{}
	for line := range strings.Lines(out) {
		found := benchLine.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue
		}
		for _, pair := range metricPair.FindAllStringSubmatch(strings.ReplaceAll(found[2], "\t", " "), -1) {
			if value, err := strconv.ParseFloat(pair[1], 64); err == nil {
				name := found[1] + " " + pair[2]
				told[name] = append(told[name], value)
			}
		}
	}
	return told
}
