package otp

import (
	"fmt"
	"strconv"

	"ostiary.internal/shared/platform/fault"
	"rsc.io/qr"
)

// quiet is the light border a reader needs, in modules (ISO/IEC 18004 section 6.3.8).
const quiet = 4

// Modules returns the QR symbol of a text as rows of modules, true for dark, without the quiet zone: what a
// picture in any format is drawn from. Invalid for a text that no symbol holds.
func Modules(text string) ([][]bool, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fault.New(fault.Invalid, "drawing a QR code of %d bytes: %w", len(text), err)
	}
	rows := make([][]bool, code.Size)
	for y := range rows {
		rows[y] = make([]bool, code.Size)
		for x := range rows[y] {
			rows[y][x] = code.Black(x, y)
		}
	}
	return rows, nil
}

// QR draws a text as an SVG picture, made here so that the secret meets no other service. It is black on its own
// white ground, quiet zone included, and so reads on dark pages as on light ones; it has a size of its own and
// scales without blur. Serve it with "no-store", once.
func QR(text string) (svg []byte, err error) {
	rows, err := Modules(text)
	if err != nil {
		return nil, err
	}
	side := len(rows) + 2*quiet
	svg = fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" `+
		`aria-label="QR code" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="`,
		side, side, side*5, side*5, side, side)
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			run := 1
			for x+run < len(row) && row[x+run] {
				run++
			}
			svg = append(svg, 'M')
			svg = strconv.AppendInt(svg, int64(x+quiet), 10)
			svg = append(svg, ' ')
			svg = strconv.AppendInt(svg, int64(y+quiet), 10)
			svg = append(svg, 'h')
			svg = strconv.AppendInt(svg, int64(run), 10)
			svg = append(svg, "v1h-"...)
			svg = strconv.AppendInt(svg, int64(run), 10)
			svg = append(svg, 'z')
			x += run
		}
	}
	return append(svg, `"/></svg>`...), nil
}
