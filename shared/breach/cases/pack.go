package cases

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"ostiary.internal/shared/breach/clock"
	"ostiary.internal/shared/platform/fault"
)

// kept is a case as the store holds it: what grows with the number of tenants is one compressed value. As lists, the
// tracks of two thousand tenants with their decisions and alarms would be more values than a document may have.
type kept struct{ Case }

// plain is a case without its methods, so that encoding one does not end here again.
type plain Case

type packed struct {
	plain
	Packed []byte `json:"packed,omitempty"`
}

// bundle is a track with all that is known of it side by side, where it compresses best; the last one of a case has what
// belongs to no track.
type bundle struct {
	Track     *Track                `json:"t,omitempty"`
	Decisions []Decision            `json:"d,omitempty"` // without their subject, but in the last
	Said      map[string]clock.Said `json:"s,omitempty"` // without the tenant, but in the last
}

// maxPacked bounds what is unpacked, in bytes: several times what MaxTracks need.
const maxPacked = 64 << 20

// MarshalJSON writes a case as it is stored.
func (k kept) MarshalJSON() ([]byte, error) {
	p := packed{plain: plain(k.Case)}
	p.Tracks, p.Decisions, p.Said = nil, nil, nil
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(w).Encode(k.bundles()); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	p.Packed = b.Bytes()
	return json.Marshal(p)
}

func (k kept) bundles() []bundle {
	all := make([]bundle, len(k.Tracks)+1)
	last, at := &all[len(k.Tracks)], map[string]*bundle{}
	for i := range k.Tracks {
		all[i].Track = &k.Tracks[i]
		at[k.Tracks[i].ID] = &all[i]
	}
	for _, d := range k.Decisions {
		if b := at[d.Subject]; b != nil {
			d.Subject = ""
			b.Decisions = append(b.Decisions, d)
		} else {
			last.Decisions = append(last.Decisions, d)
		}
	}
	for id, said := range k.Said {
		row, tenant, _ := strings.Cut(id, ":")
		b := at[tenant]
		if b == nil || row == "promise" {
			b, row = last, id
		}
		if b.Said == nil {
			b.Said = map[string]clock.Said{}
		}
		b.Said[row] = said
	}
	return all
}

// UnmarshalJSON reads what MarshalJSON wrote. Decisions are in the order in which they were proposed.
func (k *kept) UnmarshalJSON(data []byte) error {
	var p packed
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	var all []bundle
	r := flate.NewReader(bytes.NewReader(p.Packed))
	if err := json.NewDecoder(io.LimitReader(r, maxPacked)).Decode(&all); err != nil {
		return fault.New(fault.Invalid, "reading a case: its lists are not what was kept")
	}
	k.Case = Case(p.plain)
	for _, b := range all {
		if b.Track != nil {
			k.Tracks = append(k.Tracks, *b.Track)
		}
		for _, d := range b.Decisions {
			if b.Track != nil {
				d.Subject = b.Track.ID
			}
			k.Decisions = append(k.Decisions, d)
		}
		for row, said := range b.Said {
			if b.Track != nil {
				row += ":" + b.Track.ID
			}
			if k.Said == nil {
				k.Said = map[string]clock.Said{}
			}
			k.Said[row] = said
		}
	}
	slices.SortStableFunc(k.Decisions, func(a, b Decision) int { return cmp.Compare(a.At.UnixNano(), b.At.UnixNano()) })
	return nil
}
