package rule

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Acting reports whether an application's action is that of somebody who acts as another user, in English, French or
// German, however it is written: impersonate, loginAs, user_switched, connexion_en_tant_que, anmelden_als. The end of it
// is none.
func Acting(action string) bool {
	words := spellOut(action)
	return acts(words) && !ends(words)
}

// ActingEnded reports whether an action says that somebody stopped acting as another user.
func ActingEnded(action string) bool {
	words := spellOut(action)
	return acts(words) && ends(words)
}

// ActingBegan reports whether an action says in so many words that somebody began to act as another user: a log that
// has such a word has one for the end too.
func ActingBegan(action string) bool {
	words := spellOut(action)
	return acts(words) && !ends(words) && (begin.MatchString(first(words)) || begin.MatchString(last(words)) || beganTogether.MatchString(words))
}

var (
	plainLetters = strings.NewReplacer("é", "e", "è", "e", "ê", "e", "ë", "e", "à", "a", "â", "a", "ä", "a", "ô", "o", "ö", "o",
		"ù", "u", "û", "u", "ü", "u", "î", "i", "ï", "i", "ç", "c", "ß", "ss")

	actingAs = regexp.MustCompile(`imperson|masquerad|usurp|\bhijack|\bspoof|\bsudo\b|\bon ?behalf\b|\bsupport ?session` +
		`|\b(user ?)?act(s|ed|ing)? ?as\b|\b(log(s|ged|ging)?|sign(s|ed|ing)?) ?in ?as\b|\bview(s|ed|ing)? ?as\b|\bassum(e|es|ed|ing)\b` +
		`|\bswitch(es|ed|ing)?( to)? ?(user|account|identity)|\b(user|account|identity) ?switch|\bbec[ao]m(e|es|ing) ?(user|account|identity)\b` +
		`|\bproxy ?(log(ged)? ?in|sign(ed)? ?in)\b|\b(emulat|simulat)\w* ?(user|account|customer)\b` +
		`|\ben tant que\b|\b(agi\w*|connect\w*|connexion) comme\b|\bau nom d|\bincarn` +
		`|\b(emprunt\w*|pris\w*|prendre|chang\w*|endoss\w*)( de| d| l)* ?(identite|utilisateur|compte)\b` +
		`|\b(anmeld\w*|angemeldet|einlog\w*|eingeloggt|handel\w*|gehandelt|agier\w*) ?als\b|\bals \w+ (anmeld|angemeldet|einlog|eingelog|handel|gehandelt|agier)` +
		`|\b(benutzer|nutzer|konto|konten|identitats) ?wechsel|\b(benutzer|nutzer|konto|identitat)( ge| )wechsel|\bidentitat ?(ubern|ange)|\bim namen von\b|verkorper|imitier`)
	// parts are what every word for acting has one of: to look for them costs little, and most actions have none.
	parts = []string{"imperson", "masquerad", "usurp", "hijack", "spoof", "sudo", "behalf", "support", "as", "switch", "becom", "becam",
		"proxy", "mulat", "en tant que", "comme", "au nom d", "incarn", "identit", "utilisateur", "compte", "als", "wechsel", "namen", "verkorper", "imitier"}
	presumed = regexp.MustCompile(`\bassum(e|es|ed|ing) (default|value)s?\b`) // a setting, nobody's identity

	// An end stands first or last, or is joined to what it ends. "End user" is somebody.
	end = regexp.MustCompile(`^(stop(s|ped|ping)?|end(s|ed|ing)?|exit(s|ed|ing)?|finish(es|ed|ing)?|clos(e|es|ed|ing)|leav(e|es|ing)|left|expir(e|es|ed|ing|y|ation|ee?)` +
		`|quit|terminat(e|es|ed|ing|ion)|revok(e|es|ed|ing)|cancel(s|led|ed|ling|ing)?|revert(s|ed|ing)?|logout|signout|timeout|out|back` +
		`|fin|finir?|finie|termine[res]*|arret\w*|quitte\w*|ferme[res]*|sort(ie|ir)|ende|endet|beend\w*|verlass\w*|abgelaufen|abgemeldet|abmeld\w*|schliess\w*|geschlossen|gestoppt|stopp\w*)$`)
	endTogether = regexp.MustCompile(`\bun ?(imperson|masquerad|sudo|hijack)|^end ?(imperson|act|masquerad|support)|^(stop|exit|finish|close|leave|quit)(imperson|act|masquerad|support)` +
		`|(imperson(ate|ation|ating)|act ?as|in ?as|session|user|account)(stop|end|exit|finish)(s|es|ed|ped|ing|ping)?$`)
	endUser = regexp.MustCompile(`^end ?(user|customer)`)

	begin         = regexp.MustCompile(`^(start(s|ed|ing)?|begin(s|ning)?|began|begun|debut\w*|commenc\w*|demarr\w*|beg(inn|onnen)\w*|gestartet)$`)
	beganTogether = regexp.MustCompile(`(imperson(ate|ation|ating)|act ?as|in ?as|session)(start(s|ed|ing)?|begin)$|^(start|begin)(imperson|act|masquerad|support)`)
)

func acts(words string) bool {
	some := func(part string) bool { return strings.Contains(words, part) }
	return slices.ContainsFunc(parts, some) && actingAs.MatchString(presumed.ReplaceAllString(words, ""))
}

func ends(words string) bool {
	return end.MatchString(last(words)) || endTogether.MatchString(words) || end.MatchString(first(words)) && !endUser.MatchString(words)
}

func first(words string) string {
	word, _, _ := strings.Cut(words, " ")
	return word
}

func last(words string) string { return words[strings.LastIndexByte(words, ' ')+1:] }

// spellOut writes an action as words in small letters without accents, one space between them: "user.loginAs" is "user
// login as".
func spellOut(action string) string {
	var b strings.Builder
	small, gap := false, false
	for _, r := range action {
		switch {
		case unicode.Is(unicode.Mn, r): // the accent of the letter before
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			small, gap = false, true
			continue
		case small && unicode.IsUpper(r):
			gap = true
		}
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		small, gap = unicode.IsLower(r), false
		b.WriteRune(unicode.ToLower(r))
	}
	return plainLetters.Replace(b.String())
}
