package img_compress

import (
	"image"
	"image/color"
)

const (
	window = 8
	// maxWindows: larger pictures are compared by windows that lie apart, so that it costs little.
	maxWindows = 4_096
)

// ssim is the structural similarity (Wang et al. 2004) of two pictures of one size, by the brightness of windows of 8 × 8.
func ssim(a, b image.Image) float64 {
	size := a.Bounds().Size()
	columns, rows := max(1, size.X/window), max(1, size.Y/window)
	step := 1
	for (columns/step)*(rows/step) > maxWindows {
		step++
	}
	var sum float64
	count := 0
	for row := 0; row < rows; row += step {
		for column := 0; column < columns; column += step {
			at := image.Pt(column*window, row*window)
			sum += similarity(a, b, image.Rectangle{at, at.Add(image.Pt(min(window, size.X), min(window, size.Y)))})
			count++
		}
	}
	return sum / float64(count)
}

func similarity(a, b image.Image, part image.Rectangle) float64 {
	const c1, c2 = 0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255
	var n, sumA, sumB, sumAA, sumBB, sumAB float64
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			va, vb := brightness(a, x, y), brightness(b, x, y)
			n, sumA, sumB = n+1, sumA+va, sumB+vb
			sumAA, sumBB, sumAB = sumAA+va*va, sumBB+vb*vb, sumAB+va*vb
		}
	}
	meanA, meanB := sumA/n, sumB/n
	varA, varB, cov := sumAA/n-meanA*meanA, sumBB/n-meanB*meanB, sumAB/n-meanA*meanB
	return (2*meanA*meanB + c1) * (2*cov + c2) / ((meanA*meanA + meanB*meanB + c1) * (varA + varB + c2))
}

func brightness(picture image.Image, x, y int) float64 {
	bounds := picture.Bounds()
	return float64(color.GrayModel.Convert(picture.At(bounds.Min.X+x, bounds.Min.Y+y)).(color.Gray).Y)
}
