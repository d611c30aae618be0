//! Sorting where it happens once and the size of the program counts more than the time: the library's sort is compiled
//! anew, some six kilobytes, for every kind of value and order.

/// Sorts numbers by an order that is asked for by dynamic call. Heap sort: in place, and n log n for every input.
pub fn sort(numbers: &mut [u32], is_less: &mut dyn FnMut(u32, u32) -> bool) {
    for root in (0..numbers.len() / 2).rev() {
        sink(numbers, root, is_less);
    }
    for end in (1..numbers.len()).rev() {
        numbers.swap(0, end);
        sink(numbers.get_mut(..end).unwrap_or_default(), 0, is_less);
    }
}

/// Lets a number sink to where both its children are less.
fn sink(heap: &mut [u32], mut root: usize, is_less: &mut dyn FnMut(u32, u32) -> bool) {
    loop {
        let left = 2 * root + 1;
        let Some(&first) = heap.get(left) else { return };
        let child = match heap.get(left + 1) {
            Some(&second) if is_less(first, second) => left + 1,
            Some(_) | None => left,
        };
        let (Some(&above), Some(&below)) = (heap.get(root), heap.get(child)) else { return };
        if !is_less(above, below) {
            return;
        }
        heap.swap(root, child);
        root = child;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_sorts_like_the_library() {
        let mut seed = 1u32;
        for length in 0..200 {
            let mut numbers: Vec<u32> = core::iter::repeat_with(|| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed >> 26
            })
            .take(length)
            .collect();
            let mut expected = numbers.clone();
            expected.sort_unstable();
            super::sort(&mut numbers, &mut |a, b| a < b);
            assert_eq!(numbers, expected);
            super::sort(&mut numbers, &mut |a, b| a > b);
            assert!(numbers.is_sorted_by(|a, b| a >= b));
        }
    }
}
