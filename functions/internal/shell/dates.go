package shell

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

var days = map[string][7]string{
	"en": {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	"fr": {"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
	"de": {"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
}

var months = map[string][12]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"fr": {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
}

// Day writes the calendar day of t, in t's zone, as people of the language do: "Tuesday 3 March".
func Day(lang string, t time.Time) string {
	format := "%s %d %s"
	switch {
	case lang == "de":
		format = "%s, %d. %s"
	case lang == "fr" && t.Day() == 1:
		return fmt.Sprintf("%s 1er %s", days[lang][t.Weekday()], months[lang][t.Month()-1])
	}
	return fmt.Sprintf(format, days[lang][t.Weekday()], t.Day(), months[lang][t.Month()-1])
}

// Date is Day with the year.
func Date(lang string, t time.Time) string {
	return Day(lang, t) + " " + strconv.Itoa(t.Year())
}

// Moment writes an instant in t's zone, to the minute: "Tuesday 3 March 2026, 09:55"; "" for the zero time.
func Moment(lang string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return Date(lang, t) + ", " + t.Format("15:04")
}

// Until writes the end of something in local time. The first instant of a day reads as the end of the one
// before, "24:00", which is what people mean by it.
func Until(end time.Time) string {
	if end.Hour() == 0 && end.Minute() == 0 {
		return "24:00"
	}
	return end.Format("15:04")
}

// Place is the part of a time zone's name that people recognise: "Kolkata" of Asia/Kolkata.
func Place(zone string) string {
	return strings.ReplaceAll(zone[strings.LastIndexByte(zone, '/')+1:], "_", " ")
}
