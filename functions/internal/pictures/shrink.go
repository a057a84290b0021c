package main

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"slices"
)

// A PNG with a palette has 256 colours at most. Our pages use some dozen; the rest is the soft edge of letters, of which the rarest
// shades take the nearest that is kept. Most places go to what is frequent, the rest to what is least like anything kept: a small
// sign in a colour of its own.
const (
	shades   = 256
	frequent = 208
)

// shrink writes a picture with a palette, which takes less than half of the room. The same picture gives the same bytes.
func shrink(picture []byte) ([]byte, error) {
	drawn, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, fmt.Errorf("reading a picture: %w", err)
	}
	box := drawn.Bounds()
	count := map[color.RGBA]int{}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[shade(drawn, x, y)]++
		}
	}
	often := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	palette := keep(often)
	nearest := map[color.RGBA]uint8{}
	for c := range count {
		nearest[c] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(box, palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[shade(drawn, x, y)])
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, small); err != nil {
		return nil, fmt.Errorf("writing a picture: %w", err)
	}
	return b.Bytes(), nil
}

// keep chooses the colours that stay, of all in the order of their frequency.
func keep(often []color.RGBA) color.Palette {
	palette := color.Palette{}
	away := make([]int, len(often)) // how far each is from the nearest that stays
	for i := range away {
		away[i] = math.MaxInt
	}
	for len(palette) < min(shades, len(often)) {
		next := len(palette)
		if next >= frequent {
			next = slices.Index(away, slices.Max(away))
		}
		palette = append(palette, often[next])
		for i, c := range often {
			r, g, b := int(c.R)-int(often[next].R), int(c.G)-int(often[next].G), int(c.B)-int(often[next].B)
			away[i] = min(away[i], r*r+g*g+b*b)
		}
	}
	return palette
}

func shade(picture image.Image, x, y int) color.RGBA {
	return color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)
}
