package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	t.Parallel()
	text := table("Two cores", []row{
		{"a | b", "1 ms", "2 ms", "the other", 0.5},
		{"c", "12,345/s", "4,115/s", "nothing", 3.0001},
	})
	const want = `Two cores.

| measured | Ostiary | beside it | which is | ratio |
| --- | --- | --- | --- | --- |
| a \| b | 1 ms | 2 ms | the other | 0.5 |
| c | 12,345/s | 4,115/s | nothing | 3 |
`
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
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
	got := metrics("goos: linux\nBenchmarkErasing \t       3\t 900000000 ns/op\t      2100 bulkwriter/s\t       1.5e+03 erased/s\nBenchmarkReads/others=1000-2 \t 1\t 5 ns/op\t 51 reads/person\nPASS\n")
	for name, want := range map[string]float64{"BenchmarkErasing erased/s": 1500, "BenchmarkErasing bulkwriter/s": 2100, "BenchmarkReads/others=1000 reads/person": 51} {
		if got[name] != want {
			t.Errorf("%s is %g, want %g: %v", name, got[name], want, got)
		}
	}
}
