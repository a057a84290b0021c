package diff

import (
	"encoding/json"
	"errors"
	"io"

	"ostiary.internal/shared/platform/fault"
)

// MaxBytes bounds a state or a plan that Read reads.
const MaxBytes = 256 << 20

// TooLong is the code of the error about a state that is longer than is read.
const TooLong = "state_too_long"

// Read is ReadMost of at most MaxBytes.
func Read(r io.Reader) (Desired, error) { return ReadMost(r, MaxBytes) }

// ReadMost reads a state (version 4, as `terraform state pull` writes it) or a plan (`terraform show -json`), whichever it
// is, a resource at a time: what is held in memory is what it says of resources. Invalid: anything else, what is cut off, and a
// state of another version; the error says which command makes one that can be read. Exhausted, code TooLong: it is longer than
// so many bytes.
func ReadMost(r io.Reader, most int64) (Desired, error) {
	limited := &counting{r: r, left: most}
	s := &reading{d: json.NewDecoder(limited), into: Desired{Other: map[string]int{}}}
	err := s.whole()
	s.into.Size = most - limited.left
	switch {
	case limited.over:
		return Desired{}, &fault.Error{Kind: fault.Exhausted, Code: TooLong, Err: fault.New(fault.Exhausted, "reading a state: longer than %d bytes, which is all that is read", most)}
	case limited.err != nil:
		return Desired{}, fault.New(fault.Transient, "reading a state: %w", limited.err)
	case errors.Is(err, errForm):
		return Desired{}, fault.New(fault.Invalid, "reading a state: resources are not of the shape of version 4, or of what `terraform show -json` writes")
	case err != nil:
		return Desired{}, fault.New(fault.Invalid, "reading a state: it is cut off or no JSON; %s", advice)
	}
	return s.read()
}

const advice = "use what `terraform state pull` or `terraform show -json` writes"

// counting hands on at most so many bytes, and remembers why it stopped.
type counting struct {
	r    io.Reader
	left int64
	over bool
	err  error
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	if c.left == 0 {
		var one [1]byte
		n, err := c.r.Read(one[:])
		if c.over = c.over || n > 0; err == nil || c.over {
			err = io.EOF
		}
		return 0, err
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// reading is a state or a plan as far as it was read.
type reading struct {
	d    *json.Decoder
	into Desired

	version *int
	format  string
	errored bool
	values  bool // there were some of a plan, or of a state that was shown
	prior   map[string]Resource
	drifts  []drifted
}

// errForm: it is JSON, of another shape than it should be.
var errForm = errors.New("of another shape")

// whole reads all of it, and that nothing follows.
func (s *reading) whole() error {
	if err := s.object(s.member); err != nil {
		return err
	}
	if _, err := s.d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows")
	}
	return nil
}

func (s *reading) member(name string) error {
	switch name {
	case "version":
		return s.decode(&s.version)
	case "format_version":
		return s.decode(&s.format)
	case "errored":
		return s.decode(&s.errored)
	case "resources":
		return s.array(func() error {
			var r stateResource
			if err := s.decode(&r); err != nil {
				return err
			}
			s.into.managed(r)
			return nil
		})
	case "planned_values", "values":
		return s.module(func(r plannedResource) {
			if one, is := s.into.planned(r); is {
				s.into.Resources = append(s.into.Resources, one)
			}
		}, &s.values)
	case "prior_state":
		s.prior = map[string]Resource{}
		return s.object(func(name string) error {
			if name != "values" {
				return s.skip()
			}
			uncounted := &Desired{Other: map[string]int{}}
			return s.module(func(r plannedResource) {
				if one, is := uncounted.planned(r); is {
					s.prior[one.Address] = one
				}
			}, new(bool))
		})
	case "resource_drift":
		return s.array(func() error {
			var one drifted
			if err := s.decode(&one); err != nil {
				return err
			}
			s.drifts = append(s.drifts, one)
			return nil
		})
	}
	return s.skip()
}

// module reads the resources of a root module and of those below.
func (s *reading) module(take func(plannedResource), there *bool) error {
	var inside func(name string) error
	inside = func(name string) error {
		switch name {
		case "root_module":
			*there = true
			return s.object(inside)
		case "child_modules":
			return s.array(func() error { return s.object(inside) })
		case "resources":
			return s.array(func() error {
				var r plannedResource
				if err := s.decode(&r); err != nil {
					return err
				}
				take(r)
				return nil
			})
		}
		return s.skip()
	}
	return s.object(inside)
}

// read is what was read, or why it is nothing to go by.
func (s *reading) read() (Desired, error) {
	refuse := func(what string, args ...any) (Desired, error) {
		return Desired{}, fault.New(fault.Invalid, "reading a "+what, args...)
	}
	switch {
	case s.format == "" && s.version == nil:
		return refuse("state: neither a state nor a plan; %s", advice)
	case s.format == "" && *s.version != 4:
		return refuse("state: of version %d instead of 4; %s with Terraform 0.12 or newer", *s.version, advice)
	case s.format == "":
		return s.into, nil
	case s.errored:
		return refuse("plan: making it ended in an error, so it is not whole; plan again")
	case !s.values:
		return refuse("plan: it holds no values; use what `terraform show -json` writes of a plan or a state")
	case s.prior == nil:
		return s.into, nil
	}
	// What was changed by hand since is in the prior state as it is now.
	for _, one := range s.drifts {
		if one.Mode == "managed" && ours(one.Type) && one.Change.Before != nil {
			s.prior[one.Address] = Resource{Address: one.Address, Type: one.Type, Values: one.Change.Before, Sensitive: s.prior[one.Address].Sensitive}
		}
	}
	s.into.Applied = []Resource{}
	for _, r := range s.prior {
		s.into.Applied = append(s.into.Applied, r)
	}
	return s.into, nil
}

// decode reads the value that comes next.
func (s *reading) decode(into any) error {
	err := s.d.Decode(into)
	if _, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		return errForm
	}
	return err
}

// object reads the object that comes next, member by member; null is an empty one.
func (s *reading) object(member func(name string) error) error {
	return s.inside('{', func() error {
		name, err := s.d.Token()
		if err != nil {
			return err
		}
		return member(name.(string)) // the decoder gives nothing else there
	})
}

// array reads the array that comes next, value by value; null is an empty one.
func (s *reading) array(value func() error) error { return s.inside('[', value) }

func (s *reading) inside(begin json.Delim, each func() error) error {
	switch t, err := s.d.Token(); {
	case err != nil:
		return err
	case t == nil:
		return nil
	case t != begin:
		return errForm
	}
	for s.d.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err := s.d.Token()
	return err
}

// skip passes over the value that comes next without holding it.
func (s *reading) skip() error {
	for depth := 0; ; {
		t, err := s.d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}
