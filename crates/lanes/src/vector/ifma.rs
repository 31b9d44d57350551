//! The machine of AVX-512 registers, with the IFMA instructions: products of 52-bit numbers, accumulated.
//!
//! Each method is one instruction, or two. This is the only module of the package with unsafe code, and there are two
//! kinds of it: instructions that the processor must have, and the boundary where they are switched on. Both rest on
//! one fact: a value of [`Ifma`] exists only where [`Ifma::detect`] found the instructions.
//!
//! References: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, VPMADD52LUQ and VPMADD52HUQ
//! (each reads the low 52 bits of both factors, and adds a half of the 104-bit product to a 64-bit sum).

use core::arch::asm;
use core::arch::x86_64::*;

use super::batch::Vectors;
use super::machine::{Kernel, LANES, Machine};
use crate::backend::Arithmetic;

/// Proof that this processor has AVX-512 F, DQ, VL and IFMA, and that the system saves their registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ifma(());

impl Ifma {
    /// Asks the processor. The answer is remembered by the standard library.
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512ifma");
        found.then_some(Ifma(()))
    }

    /// The arithmetic on these registers.
    pub(crate) fn arithmetic(self) -> &'static dyn Arithmetic {
        &Vectors(Ifma(()))
    }
}

/// The boundary of a kernel: inside, the instructions are switched on, and all is inlined.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512ifma")]
#[inline(never)]
fn with_instructions<K: Kernel<Ifma>>(m: Ifma, kernel: K) -> K::Output {
    kernel.run(m)
}

/// Where the code of a kernel is, for the test that reads it.
#[cfg(test)]
pub(crate) fn address_of<K: Kernel<Ifma>>() -> usize {
    let kernel: unsafe fn(Ifma, K) -> K::Output = with_instructions::<K>;
    kernel as usize
}

/// The same word, of which the optimiser knows nothing any more.
#[target_feature(enable = "avx512f")]
#[inline]
fn hidden(mut word: __m512i) -> __m512i {
    // SAFETY: the text is a comment: no instruction, no memory, no stack, no flags
    unsafe { asm!("/* {0} */", inout(zmm_reg) word, options(pure, nomem, nostack, preserves_flags)) };
    word
}

/// An 8x8 transposition in three steps: neighbours, then pairs, then fours.
#[target_feature(enable = "avx512f")]
#[inline]
fn transposed(rows: [__m512i; LANES]) -> [__m512i; LANES] {
    let [a, b, c, d, e, f, g, h] = rows;
    // lanes 0 2 4 6 of two rows, and lanes 1 3 5 7
    let (ab, ba) = (_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    let (cd, dc) = (_mm512_unpacklo_epi64(c, d), _mm512_unpackhi_epi64(c, d));
    let (ef, fe) = (_mm512_unpacklo_epi64(e, f), _mm512_unpackhi_epi64(e, f));
    let (gh, hg) = (_mm512_unpacklo_epi64(g, h), _mm512_unpackhi_epi64(g, h));
    // pairs 0 and 2 of both (0x88), and pairs 1 and 3 (0xdd)
    let (abcd0, abcd1) = (_mm512_shuffle_i64x2::<0x88>(ab, cd), _mm512_shuffle_i64x2::<0xdd>(ab, cd));
    let (badc0, badc1) = (_mm512_shuffle_i64x2::<0x88>(ba, dc), _mm512_shuffle_i64x2::<0xdd>(ba, dc));
    let (efgh0, efgh1) = (_mm512_shuffle_i64x2::<0x88>(ef, gh), _mm512_shuffle_i64x2::<0xdd>(ef, gh));
    let (fehg0, fehg1) = (_mm512_shuffle_i64x2::<0x88>(fe, hg), _mm512_shuffle_i64x2::<0xdd>(fe, hg));
    [
        _mm512_shuffle_i64x2::<0x88>(abcd0, efgh0),
        _mm512_shuffle_i64x2::<0x88>(badc0, fehg0),
        _mm512_shuffle_i64x2::<0x88>(abcd1, efgh1),
        _mm512_shuffle_i64x2::<0x88>(badc1, fehg1),
        _mm512_shuffle_i64x2::<0xdd>(abcd0, efgh0),
        _mm512_shuffle_i64x2::<0xdd>(badc0, fehg0),
        _mm512_shuffle_i64x2::<0xdd>(abcd1, efgh1),
        _mm512_shuffle_i64x2::<0xdd>(badc1, fehg1),
    ]
}

/// Writes methods of the machine, each of one or two instructions.
macro_rules! instructions {
    ($(fn $name:ident $(<const $n:ident: u32>)? (self $(, $argument:ident: $type:ty)*) -> $result:ty { $body:expr })*) => {$(
        #[inline(always)]
        fn $name $(<const $n: u32>)? (self $(, $argument: $type)*) -> $result {
            // SAFETY: `self` exists, so the processor has the instructions (see `Ifma::detect`)
            unsafe { $body }
        }
    )*};
}

impl Machine for Ifma {
    type Word = __m512i;
    type Mask = __mmask8;

    #[inline(always)]
    fn call<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        // SAFETY: `self` exists, so the processor has the instructions (see `Ifma::detect`)
        unsafe { with_instructions(self, kernel) }
    }

    #[inline(always)]
    fn inlined<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(always)]
    fn word(self, lanes: [u64; LANES]) -> __m512i {
        // SAFETY: both are 64 bytes, and any bytes are a value of either
        unsafe { core::mem::transmute::<[u64; LANES], __m512i>(lanes) }
    }

    #[inline(always)]
    fn lanes(self, word: __m512i) -> [u64; LANES] {
        // SAFETY: both are 64 bytes, and any bytes are a value of either
        unsafe { core::mem::transmute::<__m512i, [u64; LANES]>(word) }
    }

    instructions! {
        fn transpose(self, rows: [__m512i; LANES]) -> [__m512i; LANES] { transposed(rows) }
        fn splat(self, value: u64) -> __m512i { _mm512_set1_epi64(value as i64) }
        fn add(self, a: __m512i, b: __m512i) -> __m512i { _mm512_add_epi64(a, b) }
        fn sub(self, a: __m512i, b: __m512i) -> __m512i { _mm512_sub_epi64(a, b) }
        fn add_low(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i { _mm512_madd52lo_epu64(sum, a, b) }
        fn add_high(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i { _mm512_madd52hi_epu64(sum, a, b) }
        fn times(self, a: __m512i, factor: u64) -> __m512i { _mm512_mullo_epi64(a, _mm512_set1_epi64(factor as i64)) }
        fn right<const N: u32>(self, a: __m512i) -> __m512i { _mm512_srli_epi64::<N>(a) }
        fn left<const N: u32>(self, a: __m512i) -> __m512i { _mm512_slli_epi64::<N>(a) }
        fn right_by(self, a: __m512i, bits: u32) -> __m512i { _mm512_srl_epi64(a, _mm_cvtsi32_si128(bits as i32)) }
        fn and(self, a: __m512i, b: __m512i) -> __m512i { _mm512_and_si512(a, b) }
        fn or(self, a: __m512i, b: __m512i) -> __m512i { _mm512_or_si512(a, b) }
        fn equal(self, a: __m512i, b: __m512i) -> __mmask8 { _mm512_cmpeq_epi64_mask(a, b) }
        fn meet(self, a: __m512i, b: __m512i) -> __mmask8 { _mm512_test_epi64_mask(a, b) }
        fn choose(self, mask: __mmask8, no: __m512i, yes: __m512i) -> __m512i { _mm512_mask_blend_epi64(mask, no, yes) }
        fn spread(self, mask: __mmask8) -> __m512i { hidden(_mm512_movm_epi64(mask)) }
        // 0xca: the truth table of "first ? second : third"
        fn pick(self, spread: __m512i, no: __m512i, yes: __m512i) -> __m512i {
            _mm512_ternarylogic_epi64::<0xca>(spread, yes, no)
        }
        // between registers: reads the lowest four bits of each place, and no memory by them
        fn look(self, sixteen: [__m512i; 2], place: __m512i) -> __m512i {
            _mm512_permutex2var_epi64(sixteen[0], place, sixteen[1])
        }
    }

    #[inline(always)]
    fn mask(self, bits: u8) -> __mmask8 {
        bits
    }

    #[inline(always)]
    fn bits(self, mask: __mmask8) -> u8 {
        mask
    }

    #[inline(always)]
    fn both(self, a: __mmask8, b: __mmask8) -> __mmask8 {
        a & b
    }

    #[inline(always)]
    fn either(self, a: __mmask8, b: __mmask8) -> __mmask8 {
        a | b
    }

    #[inline(always)]
    fn not(self, a: __mmask8) -> __mmask8 {
        !a
    }

    /// Nothing: the model looks, and is equal bit for bit.
    #[inline(always)]
    fn expect_below(self, _word: __m512i, _bound: u64) {}
}
