-- The status lies in the conditions of indexes, so no update of a row stays on its page unseen by them (it is never "HOT"), and room left for
-- that on each page is a fifth more to write for nothing.
alter table tasks reset (fillfactor);
