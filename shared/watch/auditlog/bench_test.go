package auditlog_test

import (
	"bytes"
	"testing"

	"ostiary.internal/shared/watch/auditlog"
)

// BenchmarkDecode decodes all fixtures one after another, as lines of an export are.
func BenchmarkDecode(b *testing.B) {
	entries := compacted(b)
	size := 0
	for _, e := range entries {
		size += len(e)
	}
	b.SetBytes(int64(size / len(entries)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := auditlog.Decode(entries[i%len(entries)], auditlog.Mapping{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkLines reads the same as an export, with the cutting of lines.
func BenchmarkLines(b *testing.B) {
	export := bytes.Join(compacted(b), []byte("\n"))
	b.SetBytes(int64(len(export)))
	n := 0
	for b.Loop() {
		for line, err := range auditlog.Lines(bytes.NewReader(export), auditlog.Mapping{}) {
			if err != nil {
				b.Fatal(err)
			}
			n += len(line.Entries)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkIAMDelta finds the change of access in an entry that holds one.
func BenchmarkIAMDelta(b *testing.B) {
	e := fixture(b, "iam-project-delta")
	for b.Loop() {
		if _, ok := e.IAMDelta(); !ok {
			b.Fatal("no change")
		}
	}
}
