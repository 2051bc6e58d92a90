package main

import "iter"

// each goes over a list of descriptors.
func each[D any](list interface {
	Len() int
	Get(i int) D
}) iter.Seq[D] {
	return func(yield func(D) bool) {
		for i := range list.Len() {
			if !yield(list.Get(i)) {
				return
			}
		}
	}
}
