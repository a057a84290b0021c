package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"ostiary.internal/functions/internal/browser"
)

// folder is where the pictures go; most is how large one may be, in bytes, so that the repository stays small.
const (
	folder = "docs/pictures"
	most   = 160_000
)

// chance is what a page says otherwise each time: keys, codes, numbers of requests, digests.
const chance = ".qr, .codes, .key, .big, code, #state > span:first-child"

// keep writes one picture, of the window or of the whole page; not where the one that is there shows the same but for chance.
func (a album) keep(name string, tab *browser.Tab, whole bool) {
	picture, err := shrink(tab.Picture(whole))
	if err != nil {
		a.Fatalf("%s: %v", name, err)
	}
	if len(picture) > most {
		a.Fatalf("%s: %d bytes, more than %d: show less of the page", name, len(picture), most)
	}
	file := filepath.Join(folder, name+".png")
	before, err := os.ReadFile(file)
	if err == nil && same(before, picture, tab.Boxes(chance, whole)) {
		fmt.Println(file, "is as it was")
		return
	}
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		a.Fatalf("writing %s: %v", file, err)
	}
	fmt.Println(file, len(picture))
}

// same reports whether two pictures differ in one pixel of two hundred at most, but for what lies in the boxes.
func same(before, after []byte, boxes []image.Rectangle) bool {
	one, err := png.Decode(bytes.NewReader(before))
	if err != nil {
		return false
	}
	other, err := png.Decode(bytes.NewReader(after))
	if err != nil || one.Bounds() != other.Bounds() {
		return false
	}
	all, different := one.Bounds().Dx()*one.Bounds().Dy(), 0
	for y := one.Bounds().Min.Y; y < one.Bounds().Max.Y; y++ {
		for x := one.Bounds().Min.X; x < one.Bounds().Max.X; x++ {
			if shade(one, x, y) != shade(other, x, y) && !within(image.Pt(x, y), boxes) {
				different++
			}
		}
	}
	return different*200 <= all
}

func within(p image.Point, boxes []image.Rectangle) bool {
	for _, box := range boxes {
		if p.In(box) {
			return true
		}
	}
	return false
}
