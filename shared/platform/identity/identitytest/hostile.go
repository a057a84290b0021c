package identitytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ostiary.internal/shared/platform/require"
)

// row is one token that must be refused, and the reason the log must give.
type row struct {
	name, reason string
	token        func(t *testing.T, b *bench, keys *keyring) string
}

// claim is a row whose token is good but for its claims.
func claim(name, reason string, changes map[string]any) row {
	return row{name, reason, func(t *testing.T, b *bench, keys *keyring) string {
		return b.genuine(t, keys.current, changes)
	}}
}

type set = map[string]any

func hostileClaims(k Kind) []row {
	at := func(d time.Duration) int64 { return start.Add(d).Unix() }
	rows := []row{
		claim("audience/another", "audience", set{"aud": k.Audience + "x"}),
		claim("audience/prefix", "audience", set{"aud": k.Audience[:len(k.Audience)-1]}),
		claim("audience/none", "audience", set{"aud": nil}),
		claim("audience/empty", "audience", set{"aud": ""}),
		claim("audience/empty list", "audience", set{"aud": []string{}}),
		claim("audience/ours and another", "audience", set{"aud": []string{k.Audience, "other"}}),
		claim("audience/number", "audience", set{"aud": 7}),

		claim("issuer/another", "issuer", set{"iss": "https://issuer.evil.example"}),
		claim("issuer/none", "issuer", set{"iss": nil}),
		claim("issuer/slash", "issuer", set{"iss": k.Issuers[0] + "/"}),
		claim("issuer/host goes on", "issuer", set{"iss": k.Issuers[0] + ".evil.example"}),
		claim("issuer/in the user part", "issuer", set{"iss": k.Issuers[0] + "@evil.example"}),
		claim("issuer/plain http", "issuer", set{"iss": "http://" + strings.TrimPrefix(k.Issuers[0], "https://")}),
		claim("issuer/upper case", "issuer", set{"iss": strings.ToUpper(k.Issuers[0])}),

		claim("time/expired", "expired", set{"iat": at(-time.Minute * 10), "exp": at(-time.Minute)}),
		claim("time/no exp", "exp", set{"exp": nil}),
		claim("time/exp as text", "exp", set{"exp": "4102444800"}),
		claim("time/exp beyond all years", "exp", set{"exp": 1e300}),
		claim("time/exp in the year 10000", "exp is missing", set{"exp": 253402300800}),
		claim("time/exp negative", "exp", set{"exp": -1}),
		claim("time/no iat", "iat", set{"iat": nil}),
		claim("time/issued in the future", "future", set{"iat": at(61 * time.Second)}),
		claim("time/not valid yet", "not valid yet", set{"nbf": at(61 * time.Second)}),
		claim("time/nbf as text", "not valid yet", set{"nbf": "0"}),
		claim("time/too old", "too long ago", set{"iat": at(-k.LongestLived - 61*time.Second), "exp": at(time.Hour)}),
		claim("time/auth_time as text", "auth_time", set{"auth_time": "yesterday"}),

		claim("subject/none", "sub", set{"sub": nil}),
		claim("subject/empty", "sub", set{"sub": ""}),
		claim("subject/number", "sub", set{"sub": 7}),
		claim("subject/spaces", "sub", set{"sub": "a b"}),
		claim("subject/too long", "sub", set{"sub": strings.Repeat("7", 256)}),

		claim("verified/false", "not verified", set{"email_verified": false}),
		claim("verified/false as text", "not verified", set{"email_verified": "false"}),
		claim("verified/true as text", "not verified", set{"email_verified": "true"}),
		claim("verified/one", "not verified", set{"email_verified": 1}),
		claim("verified/null", "not verified", set{"email_verified": json.RawMessage("null")}),

		claim("hd/number", "hd", set{"hd": 1}),
		claim("hd/look-alike", "hd", set{"hd": "labelsyn\u0441.example"}),
		claim("hd/empty", "hd", set{"hd": ""}),
		claim("amr/text", "amr", set{"amr": "mfa"}),
		claim("amr/numbers", "amr", set{"amr": []int{1}}),
	}
	for name, email := range map[string]any{
		"none": nil, "empty": "", "number": 7, "list": []string{address}, "no domain": "jane@", "no local": "@labelsync.example",
		"two at signs": "jane@evil.example@labelsync.example", "quoted": `"jane doe"@labelsync.example`,
		"display name": "Jane <jane@labelsync.example>", "space": "jane @labelsync.example", "newline": address + "\n",
		"nul": "jane\x00@labelsync.example", "slash": "jane/doe@labelsync.example", "one label": "jane@localhost",
		"Cyrillic domain": "jane@labels\u0443nc.example", "Kelvin sign": "jane@boo\u212Aafy.example",
		"full-width dot": "jane@labelsync\uFF0Eexample", "zero width": "jane@label\u200Bsync.example",
		"too long": strings.Repeat("a", 65) + "@labelsync.example", "list of two": address + ",root@labelsync.example",
	} {
		rows = append(rows, claim("email/"+name, "email is missing or malformed", set{"email": email}))
	}
	if !k.MayBeSilent {
		rows = append(rows, claim("verified/none", "not verified", set{"email_verified": nil}))
	}
	if k.ChecksParty {
		rows = append(rows,
			claim("party/another client", "azp", set{"azp": "other-client"}),
			claim("party/a person naming herself", "azp", set{"azp": k.Claims["sub"]}),
			claim("party/another account", "azp", set{"azp": "7", "email": "push@labelsync.iam.gserviceaccount.com"}),
			claim("party/list", "azp", set{"azp": []string{k.Audience}}))
	}
	return rows
}

func hostileForms(k Kind, keys *keyring) []row {
	signed := func(name, reason string, make func(t *testing.T, claims set) string) row {
		return row{name, reason, func(t *testing.T, _ *bench, _ *keyring) string { return make(t, k.claims(start)) }}
	}
	rows := []row{
		signed("key/another under the same id", "signature", func(t *testing.T, c set) string {
			return keys.strange.named(keys.current.id).sign(t, c, nil)
		}),
		signed("key/unknown id", "unknown key", func(t *testing.T, c set) string { return keys.strange.sign(t, c, nil) }),
		signed("key/no id", "unknown key", func(t *testing.T, c set) string { return keys.current.sign(t, c, set{"kid": nil}) }),
		signed("key/brought along", "signature", func(t *testing.T, c set) string {
			return keys.strange.sign(t, c, set{"kid": keys.current.id, "jwk": keys.strange.public()})
		}),
		signed("key/address brought along", "signature", func(t *testing.T, c set) string {
			return keys.strange.sign(t, c, set{"kid": keys.current.id, "jku": "https://evil.example/keys"})
		}),
		signed("algorithm/none", "algorithm", func(t *testing.T, c set) string {
			return unsigned(t, c, `{"alg":"none","typ":"JWT","kid":"current"}`)
		}),
		signed("algorithm/None", "algorithm", func(t *testing.T, c set) string {
			return unsigned(t, c, `{"alg":"None","typ":"JWT","kid":"current"}`)
		}),
		signed("algorithm/missing", "algorithm", func(t *testing.T, c set) string { return unsigned(t, c, `{"kid":"current"}`) }),
		signed("algorithm/given twice", "compact form", func(t *testing.T, c set) string {
			return unsigned(t, c, `{"alg":"none","alg":"`+k.Algorithm+`","kid":"current"}`)
		}),
		signed("algorithm/HS256 with the public key", "algorithm", func(t *testing.T, c set) string {
			return keys.current.signHMAC(t, c)
		}),
		signed("algorithm/a stronger one", "algorithm", func(t *testing.T, c set) string {
			key, err := ecdsa.GenerateKey(elliptic.P384(), crand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			return signer{"current", jose.ES384, key}.sign(t, c, nil)
		}),
		signed("header/typ of an access token", "typ", func(t *testing.T, c set) string {
			return keys.current.sign(t, c, set{"typ": "at+jwt"})
		}),
		signed("header/unknown critical entry", "signature", func(t *testing.T, c set) string {
			return keys.current.sign(t, c, set{"crit": []string{"exp"}, "exp": 1})
		}),
	}
	rows = append(rows, hostileTexts(signed, keys)...)
	return append(rows, hostilePayloads(keys)...)
}

// hostileTexts: a genuine token in another spelling, cut short or too long.
func hostileTexts(signed func(string, string, func(*testing.T, set) string) row, keys *keyring) []row {
	spelled := func(name, reason string, spell func(string) string) row {
		return signed("text/"+name, reason, func(t *testing.T, c set) string { return spell(keys.current.sign(t, c, nil)) })
	}
	return []row{
		spelled("empty", "compact form", func(string) string { return "" }),
		spelled("not a token", "compact form", func(string) string { return "jane" }),
		spelled("two dots", "algorithm", func(string) string { return ".." }),
		spelled("signature cut off", "compact form", func(s string) string { return s[:strings.LastIndex(s, ".")] }),
		spelled("signature empty", "signature", func(s string) string { return s[:strings.LastIndex(s, ".")+1] }),
		spelled("four parts", "compact form", func(s string) string { return s + ".AAAA" }),
		spelled("leading space", "compact form", func(s string) string { return " " + s }),
		spelled("line break", "compact form", func(s string) string { return s[:9] + "\n" + s[9:] }),
		spelled("padding", "compact form", func(s string) string { return s + "==" }),
		spelled("Bearer", "compact form", func(s string) string { return "Bearer " + s }),
		spelled("JSON form", "compact form", func(s string) string {
			p := strings.Split(s, ".")
			return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
		}),
		spelled("huge and not signed", "16 KiB", func(string) string { return strings.Repeat("A", 1<<20) }),
		signed("text/huge and signed", "16 KiB", func(t *testing.T, c set) string {
			c["padding"] = strings.Repeat("x", 16<<10)
			return keys.current.sign(t, c, nil)
		}),
	}
}

// hostilePayloads: signed by the issuer, yet two readers could understand them differently.
func hostilePayloads(keys *keyring) []row {
	bytesOf := func(name string, edit func(good []byte) []byte) row {
		return row{"payload/" + name, "unique names", func(t *testing.T, b *bench, _ *keyring) string {
			return keys.current.sign(t, edit(encode(t, b.claims(start))), nil)
		}}
	}
	add := func(s string) func([]byte) []byte {
		return func(good []byte) []byte { return append([]byte(`{`+s+`,`), good[1:]...) }
	}
	return []row{
		bytesOf("claim twice", add(`"email":"root@labelsync.example"`)),
		bytesOf("claim twice, escaped", add(`"\u0065mail":"root@labelsync.example"`)),
		bytesOf("claim twice, upper case", add(`"EMAIL":"root@labelsync.example"`)),
		bytesOf("claim twice, long s", add(`"i\u017fs":"https://issuer.evil.example"`)),
		bytesOf("claim twice, nested", add(`"org":{"id":1,"id":2}`)),
		bytesOf("deep", add(`"deep":`+strings.Repeat("[", 40)+strings.Repeat("]", 40))),
		bytesOf("two objects", func(good []byte) []byte { return append(good, good...) }),
		bytesOf("trailing text", func(good []byte) []byte { return append(good, 'x') }),
		bytesOf("list", func(good []byte) []byte { return append(append([]byte(`[`), good...), ']') }),
		bytesOf("null", func([]byte) []byte { return []byte("null") }),
		bytesOf("nothing", func([]byte) []byte { return nil }),
		bytesOf("cut", func(good []byte) []byte { return good[:len(good)-1] }),
		bytesOf("not UTF-8", func(good []byte) []byte { return bytes.Replace(good, []byte("jane"), []byte("jan\xff"), 1) }),
	}
}

// tampered: no change of a single bit, anywhere in a genuine token, leaves it good.
func tampered(t *testing.T, k Kind, keys *keyring) {
	b := k.bench(t, keys)
	parts := strings.Split(b.genuine(t, keys.current, nil), ".")
	random := rand.New(rand.NewPCG(1, 2))
	for range require.Seeds(25) {
		which := random.IntN(3)
		raw, err := base64.RawURLEncoding.DecodeString(parts[which])
		if err != nil {
			t.Fatal(err)
		}
		raw[random.IntN(len(raw))] ^= 1 << random.IntN(8)
		forged := []string{parts[0], parts[1], parts[2]}
		forged[which] = base64.RawURLEncoding.EncodeToString(raw)
		b.refuses(t, strings.Join(forged, "."), "verifying a token by")
	}
	b.accepts(t, strings.Join(parts, "."))
}
