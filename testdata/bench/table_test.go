package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	t.Parallel()
	rows := []row{
		{"access", "a | b", "1 ms", "2 ms", "the other", ratio{0.5, 0.25, 1, 5}},
		{"drift", "c, | |", "12,345/s", "4,115/s", "`nothing`", ratio{3.0001, 0.00123456, 1234.5, 3}},
	}
	text := table("Two cores. Or three", rows)
	const want = `Two cores. Or three.

| of | measured | Ostiary | beside it | which is | ratio | of the runs | runs |
| --- | --- | --- | --- | --- | --- | --- | --- |
| access | a \| b | 1 ms | 2 ms | the other | 0.5 | 0.25 to 1 | 5 |
| drift | c, \| \| | 12,345/s | 4,115/s | ` + "`nothing`" + ` | 3 | 0.00123 to 1234 | 3 |
`
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	about, again, err := parse("\n\n" + text + "\n")
	rows[1].ratio = ratio{3, 0.00123, 1234, 3} // figures have three digits
	if err != nil || about != "Two cores. Or three" || !slices.Equal(again, rows) {
		t.Errorf("%q, %+v, %v", about, again, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const line = "| access | a | 1 ms | 2 ms | b | 0.5 | 0.25 to 1 | 5 |\n"
	if _, rows, err := parse("Two cores.\n\n" + head + line); err != nil || len(rows) != 1 {
		t.Fatalf("%v, %v", rows, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no head": "Two cores.\n\n" + line, "another head": "Two cores.\n\n| of |\n| --- |\n" + line, "a cell too few": "Two cores.\n\n" + head + strings.Replace(line, " a |", "", 1),
		"no number": "Two cores.\n\n" + head + strings.Replace(line, "0.5", "half", 1), "less than the least": "Two cores.\n\n" + head + strings.Replace(line, "0.5", "0.2", 1),
		"more than the most": "Two cores.\n\n" + head + strings.Replace(line, "0.5", "1.5", 1), "nothing at all": "Two cores.\n\n" + head + strings.Replace(line, "0.25", "0", 1),
	} {
		if _, rows, err := parse(text); err == nil || !strings.Contains(err.Error(), "make bench") {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
}

// The ratio of the medians is never outside of what the runs had, in whatever order they came.
func TestThrough(t *testing.T) {
	t.Parallel()
	if got := through([]time.Duration{30, 10, 20}, []time.Duration{10, 10, 5}); got != (ratio{2, 1, 4, 3}) {
		t.Errorf("%+v", got)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		ours, beside := make([]float64, 1+random.IntN(6)), []float64{}
		for i := range ours {
			ours[i], beside = 1+random.Float64()*9, append(beside, 1+random.Float64()*9)
		}
		if got := through(ours, beside); got.median < got.least || got.median > got.most || got.runs != len(ours) {
			t.Fatalf("%v through %v: %+v", ours, beside, got)
		}
	}
}

func TestFigure(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{0.00301: "0.00301", 0.28149: "0.281", 1: "1", 29.74: "29.7", 358.4: "358", 999.6: "1000", 1000: "1000", 12345: "12345"} {
		if got := figure(x); got != want {
			t.Errorf("%g: %s, want %s", x, got, want)
		}
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "README.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + begin + "\nold\n" + end + "\nafter\n")
	for range 2 { // again changes nothing
		if err := replace(file, "new\n"); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(file); string(got) != "before\n"+begin+"\n\nnew\n\n"+end+"\nafter\n" {
			t.Errorf("got %q", got)
		}
	}
	for _, text := range []string{"", begin, end + begin} {
		write(text)
		if err := replace(file, "new\n"); err == nil || !strings.Contains(err.Error(), begin) {
			t.Errorf("into %q: %v", text, err)
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 ns", 999: "999 ns", 1500: "1.5 µs", 12345 * time.Microsecond: "12.3 ms", 2 * time.Second: "2 s",
	} {
		if got := short(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
	values := make([]time.Duration, 100)
	for i := range values {
		values[i] = time.Duration(100 - i)
	}
	if m, p := median(values), quantile(values, 0.99); m != 51 || p != 100 {
		t.Errorf("median %d, p99 %d", m, p)
	}
	if got := quantile([]time.Duration{7}, 0.99); got != 7 {
		t.Errorf("p99 of one: %d", got)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	got := metrics("goos: linux\nBenchmarkErasing \t       3\t 900000000 ns/op\t      2100 bulkwriter/s\t       1.5e+03 erased/s\nBenchmarkReads/others=1000-2 \t 1\t 5 ns/op\t 51 reads/person\nBenchmarkErasing \t       1\t 900000000 ns/op\t      2000 bulkwriter/s\t       1000 erased/s\nPASS\n")
	for name, want := range map[string][]float64{"BenchmarkErasing erased/s": {1500, 1000}, "BenchmarkErasing bulkwriter/s": {2100, 2000}, "BenchmarkReads/others=1000 reads/person": {51}} {
		if !slices.Equal(got[name], want) {
			t.Errorf("%s is %g, want %g: %v", name, got[name], want, got)
		}
	}
	if each := lasting([]float64{1000, 2e6}); !slices.Equal(each, []time.Duration{time.Millisecond, 500}) {
		t.Errorf("%v", each)
	}
}
