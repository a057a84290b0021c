package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// TestSame: chance and a hair's breadth are no other picture; a word more is.
func TestSame(t *testing.T) {
	t.Parallel()
	draw := func(size int, black image.Rectangle) []byte {
		picture := image.NewGray(image.Rect(0, 0, size, size))
		for i := range picture.Pix {
			picture.Pix[i] = 255
		}
		for y := black.Min.Y; y < black.Max.Y; y++ {
			for x := black.Min.X; x < black.Max.X; x++ {
				picture.Set(x, y, color.Black)
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, picture); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	plain, code := draw(100, image.Rectangle{}), image.Rect(40, 40, 70, 70)
	for name, c := range map[string]struct {
		after []byte
		boxes []image.Rectangle
		want  bool
	}{
		"the same":             {plain, nil, true},
		"another code":         {draw(100, code), []image.Rectangle{code}, true},
		"a hair's breadth":     {draw(100, image.Rect(0, 0, 7, 7)), nil, true},
		"a word":               {draw(100, image.Rect(0, 0, 8, 8)), nil, false},
		"a word beside a code": {draw(100, image.Rect(60, 60, 80, 80)), []image.Rectangle{code}, false},
		"a larger page":        {draw(101, image.Rectangle{}), nil, false},
		"no picture":           {[]byte("none"), nil, false},
	} {
		if got := same(plain, c.after, c.boxes); got != c.want {
			t.Errorf("%s: %t, not %t", name, got, c.want)
		}
	}
}

// TestShrink: what has few colours keeps each pixel; what has many keeps the frequent ones, and takes less room.
func TestShrink(t *testing.T) {
	t.Parallel()
	picture := image.NewRGBA(image.Rect(0, 0, 200, 200))
	noise := uint32(1)
	for i := range 200 * 200 {
		noise = noise*1664525 + 1013904223 // Numerical Recipes' generator
		c := color.RGBA{uint8(noise >> 24), uint8(noise >> 16), uint8(noise >> 8), 255}
		if i%2 == 0 {
			c = color.RGBA{20, 83, 45, 255}
		}
		c.B /= 2
		if i == 7 {
			c = color.RGBA{0, 0, 255, 255} // one pixel like no other
		}
		picture.SetRGBA(i%200, i/200, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	small, err := shrink(b.Bytes())
	if err != nil || len(small) >= b.Len() {
		t.Fatalf("%d bytes of %d, %v", len(small), b.Len(), err)
	}
	again, err := shrink(b.Bytes())
	if err != nil || !bytes.Equal(small, again) {
		t.Errorf("%d bytes became %d, %v", len(small), len(again), err)
	}
	drawn, err := png.Decode(bytes.NewReader(small))
	if err != nil || shade(drawn, 0, 0) != (color.RGBA{20, 83, 22, 255}) || shade(drawn, 7, 0) != (color.RGBA{0, 0, 255, 255}) {
		t.Errorf("the frequent colour became %v, the rare one %v, %v", drawn.At(0, 0), drawn.At(7, 0), err)
	}
	if _, err := shrink([]byte("none")); err == nil {
		t.Error("what is no picture was made smaller")
	}
}
