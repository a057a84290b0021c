package cases

import (
	"embed"

	"ostiary.internal/shared/platform/message/letters"
)

//go:embed texts
var texts embed.FS

// What staff are told.
const (
	sayPage          = "page"
	sayAlarm         = "alarm"
	sayWaits         = "waits"
	sayAgain         = "again"
	sayAware         = "aware"
	sayInvestigation = "investigation"
	sayOver          = "over"
	sayReview        = "review"
	sayOverdue       = "overdue"
	sayChannels      = "channels"
	sayAction        = "action"
	sayOwner         = "owner"
	sayReach         = "reach"

	// SaySilent is the text that nobody looks after the clocks: whoever notices says it.
	SaySilent   = "silent"
	sayTakeBack = "takeback"
	sayQuiet    = "quiet" // number, deadline and what to do: all that a text message, or a way nobody trusts, may say
)

var spec = letters.Spec{
	Control: "case", Texts: texts,
	Needs: map[string][]string{
		sayPage: {"number", "step", "desk"}, sayAlarm: {"number", "percent", "clock", "target", "left", "desk"}, sayWaits: {"number", "desk"}, sayAgain: {"number", "desk"},
		sayAware: {"number", "desk"}, sayInvestigation: {"number", "hours", "desk"}, sayOver: {"number"}, sayReview: {"number", "by", "desk"}, sayOverdue: {"number", "by", "desk"},
		sayChannels: {"number", "channels", "desk"}, sayQuiet: {"number", "deadline"}, sayAction: {"number", "by", "desk"},
		sayOwner: {"number", "desk"}, SaySilent: {"since"}, sayReach: {"number", "tenants", "desk"}, sayTakeBack: {"number", "reports", "desk"},
	},
	Common: []string{"exercise", "company", "code", "missed"}, Whole: []string{"desk", "exercise", "percent", "code", "missed"}, Optional: []string{"exercise", "code"},
}

// Letters reads what staff are told: read returns a company's own text, templates/en/case-KIND.txt, where it has one.
func Letters(read func(name string) ([]byte, bool)) (*letters.Set, error) {
	if err := CheckMarks(spec, read); err != nil {
		return nil, err
	}
	return letters.Read(spec, read)
}
