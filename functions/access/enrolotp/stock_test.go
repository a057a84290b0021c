package enrolotp

import (
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
	"time"

	"ostiary.internal/functions/internal/functiontest"
	"ostiary.internal/shared/access/otp"
)

const (
	dorothea = "dorothea.klein@sharedcontacts.example" // no role of security
	fileID   = "aaaabbbbccccdddd"
)

// seedKey is the nth token of a maker, and its secret.
func seedKey(n int) map[string]any {
	return map[string]any{"serial": fmt.Sprintf("GA-%d", n), "kind": "totp", "algorithm": "SHA1", "digits": 6, "secret": tokenSecret(n)}
}

func tokenSecret(n int) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(fmt.Appendf(nil, "secret of token %04d", n))
}

func seedKeys(from, to int) map[string]any {
	var all []map[string]any
	for n := from; n < to; n++ {
		all = append(all, seedKey(n))
	}
	return map[string]any{"keys": all}
}

// stock imports tokens 0 to n.
func stock(t *testing.T, w *functiontest.World, n int) {
	t.Helper()
	w.Call(t, call(w, simone, "POST", "seedfiles", map[string]any{"id": fileID, "keys": n})).Want(t, 201, "")
	var added SeedsAdded
	w.Call(t, call(w, simone, "POST", "seedfiles/"+fileID+"/keys", seedKeys(0, n))).Want(t, 200, "").Decode(t, &added)
	if added.Added != n || len(added.Problems) > 0 {
		t.Fatalf("%+v", added)
	}
	var done SeedFile
	w.Call(t, call(w, simone, "POST", "seedfiles/"+fileID+"/finish", nil)).Want(t, 200, "").Decode(t, &done)
	if done.State != "finished" {
		t.Fatalf("%+v", done)
	}
	for i := range n {
		w.Private(tokenSecret(i))
	}
}

func assign(t *testing.T, w *functiontest.World, email, serial string) string {
	t.Helper()
	var made ID
	w.Call(t, call(w, simone, "POST", "assignments", map[string]string{"serial": serial, "email": email})).Want(t, 201, "").Decode(t, &made)
	return made.ID
}

// TestHardwareToken: a file of seeds, a token of it for a person, her first two codes.
func TestHardwareToken(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	stock(t, w, 3)
	id := assign(t, w, emma, " ga-1")
	if found := authenticators(t, w, emma); len(found) != 1 || found[0].State != "assigned" || found[0].Name != "GA-1" {
		t.Errorf("%+v", found)
	}
	token := functiontest.NewKey(tokenSecret(1))
	step := uint64(w.Clock.Now().Unix()/30) - 90 // a clock that ran 45 minutes behind in a drawer
	var found Authenticators
	w.Call(t, call(w, emma, "POST", "authenticators/"+id+"/resync", map[string]any{"codes": []string{token.Value(step), token.Value(step + 1)}})).Want(t, 200, "").Decode(t, &found)
	if a := found.Authenticators[0]; a.State != "active" || a.Drift != -89 {
		t.Errorf("%+v", a)
	}
	if listed := authenticators(t, w, emma); listed[0] != found.Authenticators[0] {
		t.Errorf("answered %+v, stored %+v", found.Authenticators[0], listed[0])
	}
	var seen Looked
	w.Call(t, call(w, stefan, "POST", "lookups", map[string]string{"email": emma})).Want(t, 200, "").Decode(t, &seen)
	if a := seen.Authenticators[0]; a.Serial != "GA-1" || a.LastDay != "2026-03-03" || a.Drift != -89 {
		t.Errorf("%+v", a)
	}
	if n := len(w.Published("message.requested")); n != 2 { // assigned, added
		t.Errorf("%d notices", n)
	}
}

// TestSeedsAreAnsweredNowhere: no answer, page or document holds a secret of the stock, or the word of one.
func TestSeedsAreAnsweredNowhere(t *testing.T) {
	t.Parallel()
	w := functiontest.New(t, setup)
	stock(t, w, 3)
	assign(t, w, emma, "GA-2")
	weak := seedKey(7)
	weak["secret"] = tokenSecret(7)[:20]
	w.Call(t, call(w, simone, "POST", "seedfiles", map[string]any{"id": "eeeeffffgggghhhh", "keys": 2})).Want(t, 201, "")
	state := string(w.Call(t, call(w, simone, "POST", "seedfiles/eeeeffffgggghhhh/keys", map[string]any{"keys": []any{weak, seedKey(1)}})).Want(t, 200, "").Body)
	if !strings.Contains(state, `"at":0`) {
		t.Errorf("answered %s", state)
	}
	state += string(w.Call(t, call(w, simone, "POST", "lookups", map[string]string{"email": emma})).Want(t, 200, "").Body)
	state += fmt.Sprint(w.State(t))
	for n := range 8 {
		if strings.Contains(state, tokenSecret(n)[:20]) {
			t.Errorf("the secret of token %d is shown or stored in clear", n)
		}
	}
}

// TestStockOutages: whatever does not answer, nothing changes; what was cut off goes on.
func TestStockOutages(t *testing.T) {
	t.Parallel()
	var seen functiontest.Coverage
	w := functiontest.New(t, setup)
	w.Outages(t, &seen, call(w, simone, "POST", "seedfiles", map[string]any{"id": fileID, "keys": 2}), 201, &w.OTPKey, &w.Directory)
	w.Outages(t, &seen, call(w, simone, "POST", "seedfiles/"+fileID+"/keys", seedKeys(0, 2)), 200, &w.OTPKey, &w.Directory)
	w.Outages(t, &seen, call(w, simone, "POST", "seedfiles/"+fileID+"/finish", nil), 200, &w.Directory)
	w.Outages(t, &seen, call(w, simone, "POST", "assignments", map[string]string{"serial": "GA-0", "email": emma}), 201, &w.OTPKey, &w.Directory)
	w.Panics(t, call(w, simone, "POST", "assignments", map[string]string{"serial": "GA-1", "email": emma}), &w.Store, &w.Directory)
}

func refusedStock(t *testing.T, w *functiontest.World, seen *functiontest.Coverage) {
	const second, third = "eeeeffffgggghhhh", "iiiijjjjkkkkllll"
	begin := func(as, id string, keys int) functiontest.Request {
		return call(w, as, "POST", "seedfiles", map[string]any{"id": id, "keys": keys})
	}
	add := func(as, id string, keys map[string]any) functiontest.Request {
		return call(w, as, "POST", "seedfiles/"+id+"/keys", keys)
	}
	finish := func(as, id string) functiontest.Request {
		return call(w, as, "POST", "seedfiles/"+id+"/finish", nil)
	}
	drop := func(as, id string) functiontest.Request { return call(w, as, "DELETE", "seedfiles/"+id, nil) }
	give := func(as, serial, email string) functiontest.Request {
		return call(w, as, "POST", "assignments", map[string]string{"serial": serial, "email": email})
	}
	refuse(t, w, seen,
		attempt{begin(dorothea, fileID, 1), 403, "role_missing"}, attempt{add(dorothea, fileID, seedKeys(0, 1)), 403, "role_missing"},
		attempt{finish(dorothea, fileID), 403, "role_missing"}, attempt{drop(dorothea, fileID), 403, "role_missing"}, attempt{give(dorothea, "GA-0", emma), 403, "role_missing"},
		attempt{add(simone, fileID, seedKeys(0, 1)), 404, "seedfile_unknown"}, attempt{finish(simone, "__x__"), 404, "seedfile_unknown"}, attempt{drop(simone, "a%00b"), 404, "seedfile_unknown"},
		attempt{begin(simone, "a/b", 1), 400, "seedfile_invalid"}, attempt{begin(simone, fileID, 10001), 400, "seedfile_invalid"},
		attempt{give(simone, "GA-0", emma), 404, "token_unknown"},
	)
	expired := seedKey(3)
	expired["until"] = functiontest.Start.Add(time.Minute)
	w.Call(t, begin(simone, fileID, 5)).Want(t, 201, "")
	refuse(t, w, seen,
		attempt{begin(simone, fileID, 6), 409, "seedfile_busy"},
		attempt{add(simone, fileID, map[string]any{"keys": []any{}}), 400, "seedfile_invalid"},
		attempt{finish(simone, fileID), 409, "seedfile_incomplete"},
	)
	w.Call(t, add(simone, fileID, map[string]any{"keys": []any{seedKey(0), seedKey(1), seedKey(2), expired, seedKey(4)}})).Want(t, 200, "")
	w.Call(t, finish(simone, fileID)).Want(t, 200, "")
	w.Call(t, begin(simone, second, 1)).Want(t, 201, "")
	w.Call(t, drop(simone, second)).Want(t, 204, "")
	w.Call(t, begin(simone, third, 1)).Want(t, 201, "")
	refuse(t, w, seen,
		attempt{begin(simone, fileID, 5), 409, "seedfile_known"}, attempt{drop(simone, fileID), 409, "seedfile_known"},
		attempt{add(simone, second, seedKeys(5, 6)), 409, "seedfile_over"}, attempt{finish(simone, second), 409, "seedfile_over"},
		attempt{give(simone, "GA-0", "nobody@sharedcontacts.example"), 404, "person_unknown"}, attempt{give(simone, "GA-0", simone), 403, "own_matter"},
	)
	const omkar = "omkar.rao@sharedcontacts.example"
	w.Advance(t, time.Minute)
	refuse(t, w, seen, attempt{give(simone, "GA-3", omkar), 409, "token_over"})
	for n := range 3 {
		w.Call(t, give(simone, fmt.Sprintf("GA-%d", n), omkar)).Want(t, 201, "")
	}
	refuse(t, w, seen, attempt{give(simone, "GA-0", asha), 409, "token_assigned"}, attempt{give(simone, "GA-4", omkar), 409, "authenticator_limit"})
}

func FuzzSeedFile(f *testing.F) {
	fuzz(f, "seedfiles", `{"id":"aaaabbbbccccdddd","keys":3}`, `{"id":"__x__","keys":-1}`)
}

func FuzzSeedKeys(f *testing.F) {
	functiontest.FuzzBody(f, setup, func(w *functiontest.World) functiontest.Request {
		if _, err := w.OTP(f).BeginSeedFile(f.Context(), fileID, otp.MaxSeeds, w.Clock.Now()); err != nil {
			f.Fatal(err)
		}
		return call(w, simone, "POST", "seedfiles/"+fileID+"/keys", nil)
	}, `{"keys":[{"serial":"A1","kind":"hotp","secret":"`+functiontest.Secret+`","algorithm":"SHA1","digits":6,"counter":7,"until":"2031-01-01T00:00:00Z"}]}`)
}

func FuzzAssign(f *testing.F) { fuzz(f, "assignments", `{"serial":"A1","email":"`+emma+`"}`) }
