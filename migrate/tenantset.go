package migrate

import "iter"

// tenantSet is a set of tenants' ids. Ids come from a sequence, so 64 neighbours share a
// word: 100,000 of them take about 40 KB. The zero value is empty.
type tenantSet struct{ words map[int64]uint64 }

func (s *tenantSet) add(id int64) {
	if s.words == nil {
		s.words = make(map[int64]uint64)
	}
	s.words[id>>6] |= 1 << (id & 63)
}

func (s *tenantSet) has(id int64) bool { return s.words[id>>6]&(1<<(id&63)) != 0 }

// all are the ids, in no order.
func (s *tenantSet) all() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for at, word := range s.words {
			for i := range int64(64) {
				if word&(1<<i) != 0 && !yield(at<<6|i) {
					return
				}
			}
		}
	}
}
