package img_compress

import (
	"encoding/binary"
	"image"
	"image/color"
)

// orientationOf gives the EXIF orientation of a JPEG (1 to 8); 1, upright, where there is none. Cameras write what they saw as the
// sensor lay, and viewers turn it: what is encoded anew has no EXIF, so it must be turned before.
func orientationOf(format string, input []byte) int {
	if format != "jpeg" {
		return 1
	}
	for at := 2; at+4 <= len(input) && input[at] == 0xff; {
		marker, length := input[at+1], int(binary.BigEndian.Uint16(input[at+2:]))
		if marker == 0xda || length < 2 || at+2+length > len(input) { // the picture itself begins
			return 1
		}
		if segment := input[at+4 : at+2+length]; marker == 0xe1 && len(segment) > 14 && string(segment[:6]) == "Exif\x00\x00" {
			return orientationOfTIFF(segment[6:])
		}
		at += 2 + length
	}
	return 1
}

func orientationOfTIFF(tiff []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	directory := int64(order.Uint32(tiff[4:]))
	if directory+2 > int64(len(tiff)) {
		return 1
	}
	entries := tiff[directory+2:]
	for range order.Uint16(tiff[directory:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 {
			if value := int(order.Uint16(entries[8:])); value >= 1 && value <= 8 {
				return value
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// oriented turns a picture upright.
func oriented(picture image.Image, orientation int) image.Image {
	if orientation == 1 {
		return picture
	}
	return turned{picture, orientation}
}

// A turned picture is read through its orientation.
type turned struct {
	image.Image
	orientation int
}

func (t turned) Bounds() image.Rectangle {
	size := t.Image.Bounds().Size()
	if t.orientation >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	return image.Rectangle{Max: size}
}

func (t turned) Opaque() bool { return true } // JPEG

func (t turned) At(x, y int) color.Color {
	bounds := t.Image.Bounds()
	right, bottom := bounds.Dx()-1, bounds.Dy()-1
	switch t.orientation {
	case 2:
		x = right - x
	case 3:
		x, y = right-x, bottom-y
	case 4:
		y = bottom - y
	case 5:
		x, y = y, x
	case 6:
		x, y = y, bottom-x
	case 7:
		x, y = right-y, bottom-x
	case 8:
		x, y = right-y, x
	}
	return t.Image.At(bounds.Min.X+x, bounds.Min.Y+y)
}
