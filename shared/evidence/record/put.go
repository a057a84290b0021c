package record

import "fmt"

// Put lays the record in its canonical form into a batch, which is committed with the state that it tells of. Errors are those
// of Canonical.
func (r Record) Put(batch interface{ Record(id string, data []byte) }) error {
	data, err := r.Canonical()
	if err != nil {
		return fmt.Errorf("recording a %s: %w", r.Kind, err)
	}
	batch.Record(r.ID(), data)
	return nil
}
