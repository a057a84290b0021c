package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Measures of the picture in its own units, which are pixels of a phone that is held upright.
const (
	pictureWidth = 360
	margin       = 12
	labelRoom    = pictureWidth - 2*margin - 56 // the ratio of a row stands at the right of its label
	wide         = 0.56                         // of a letter, as a share of the size of its type: no common sans-serif has wider ones on average
)

// styles dress the picture for light and for dark. It has a ground of its own, as nobody knows on which page it stands.
const styles = `svg{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.group{font-weight:600}
.ground{fill:#fff}.ink{fill:#1f2328}.pale{fill:#59636e}.line{stroke:#d1d9e0}.one{stroke:#59636e}.more{fill:#bc4c00}.less{fill:#0969da}.runs{stroke:#1f2328}
@media (prefers-color-scheme:dark){.ground{fill:#0d1117}.ink{fill:#f0f6fc}.pale{fill:#9198a1}.line{stroke:#3d444d}.one{stroke:#9198a1}.more{fill:#f0883e}.less{fill:#58a6ff}.runs{stroke:#f0f6fc}}
`

// canvas is a picture on its way down.
type canvas struct {
	strings.Builder
	y           int
	least, most int // powers of ten at both ends of the scale
}

// picture draws the ratios of a table as SVG: a bar for each row, from 1 to its ratio, with the least and the most of its
// runs, by control and by what stands beside. The same table gives the same bytes.
func picture(about string, rows []row) string {
	s := &canvas{y: margin, most: 1}
	for _, r := range rows {
		s.least = min(s.least, int(math.Floor(math.Log10(r.ratio.least))))
		s.most = max(s.most, int(math.Ceil(math.Log10(r.ratio.most))))
	}
	const title = "Ostiary, measured beside others"
	s.text(17, "ink", title)
	s.y += 4
	s.text(12, "pale", "Each bar: how many times as long, on a scale of powers of ten. Left of 1, in blue, Ostiary is faster. The thin line spans the runs, the bar ends at their median.")
	s.text(12, "pale", about+".")
	var said strings.Builder
	for i, r := range rows {
		if i == 0 || rows[i-1].group != r.group {
			s.begin(r.group)
			fmt.Fprintf(&said, " %s:", r.group)
		}
		if i == 0 || rows[i-1].group != r.group || rows[i-1].what != r.what {
			s.y += 3
			s.text(11, "pale", "beside "+plain(r.what))
		}
		s.row(r)
		fmt.Fprintf(&said, " %s, %s times.", plain(r.measured), figure(r.ratio.median))
	}
	s.y += margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title told">
<title id="title">%s</title>
<desc id="told">%s</desc>
<style>
%s</style>
<rect class="ground" width="%d" height="%d"/>
%s</svg>
`, pictureWidth, s.y, pictureWidth, s.y, title, html.EscapeString("How many times as long Ostiary takes as what stands beside it."+said.String()), styles, pictureWidth, s.y, s.String())
}

// at is where a ratio stands on the scale.
func (s *canvas) at(ratio float64) float64 {
	return margin + (math.Log10(ratio)-float64(s.least))/float64(s.most-s.least)*(pictureWidth-2*margin)
}

// begin writes the name of a control, and the scale below it.
func (s *canvas) begin(group string) {
	s.y += 14
	s.text(15, "ink group", group)
	s.y += 13
	each := (s.most-s.least)/6 + 1 // so that long numbers do not touch
	for power := s.least; power <= s.most; power++ {
		if power%each != 0 {
			continue
		}
		anchor := "middle"
		switch power {
		case s.least:
			anchor = "start"
		case s.most:
			anchor = "end"
		}
		value := math.Pow10(power)
		fmt.Fprintf(s, `<text class="pale" font-size="10" text-anchor="%s" x="%.1f" y="%d">%s</text>`+"\n", anchor, s.at(value), s.y, figure(value))
	}
}

// row writes one measurement and draws its bar.
func (s *canvas) row(r row) {
	fmt.Fprintf(s, "<g>\n<title>%s</title>\n", html.EscapeString(fmt.Sprintf("%s: %s, beside %s of %s; %s times as long, %s to %s in %d runs",
		plain(r.measured), r.ours, r.beside, plain(r.what), figure(r.ratio.median), figure(r.ratio.least), figure(r.ratio.most), r.ratio.runs)))
	for i, line := range wrap(plain(r.measured), labelRoom/(13*wide)) {
		s.y += 16
		fmt.Fprintf(s, `<text class="ink" font-size="13" x="%d" y="%d">%s</text>`+"\n", margin, s.y, html.EscapeString(line))
		if i == 0 {
			fmt.Fprintf(s, `<text class="ink" font-size="13" font-weight="600" text-anchor="end" x="%d" y="%d">%s×</text>`+"\n", pictureWidth-margin, s.y, figure(r.ratio.median))
		}
	}
	top := s.y + 4
	s.y = top + 8
	for power := s.least; power <= s.most; power++ {
		x, class := s.at(math.Pow10(power)), "line"
		if power == 0 {
			class = "one"
		}
		fmt.Fprintf(s, `<path class="%s" d="M%.1f %dv8"/>`+"\n", class, x, top)
	}
	from, to, class := s.at(1), s.at(r.ratio.median), "more"
	if to < from {
		from, to, class = to, from, "less"
	}
	fmt.Fprintf(s, `<rect class="%s" x="%.1f" y="%d" width="%.1f" height="4"/>`+"\n", class, from, top+2, max(to-from, 1))
	fmt.Fprintf(s, `<path class="runs" d="M%.1f %dH%.1fM%.1f %dv8M%.1f %dv8"/>`+"\n</g>\n", s.at(r.ratio.least), top+4, s.at(r.ratio.most), s.at(r.ratio.least), top, s.at(r.ratio.most), top)
}

// text writes a paragraph over the whole width.
func (s *canvas) text(size int, class, words string) {
	for _, line := range wrap(words, (pictureWidth-2*margin)/(float64(size)*wide)) {
		s.y += size + 3
		fmt.Fprintf(s, `<text class="%s" font-size="%d" x="%d" y="%d">%s</text>`+"\n", class, size, margin, s.y, html.EscapeString(line))
	}
}

// wrap breaks words into lines of so many letters at most; a longer word has a line of its own.
func wrap(words string, letters float64) (lines []string) {
	for word := range strings.FieldsSeq(words) {
		if last := len(lines) - 1; last >= 0 && float64(len([]rune(lines[last]))+1+len([]rune(word))) <= letters {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

// plain is text without the marks of Markdown.
func plain(text string) string { return strings.ReplaceAll(text, "`", "") }
