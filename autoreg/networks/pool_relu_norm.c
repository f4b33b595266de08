/* Max-pooling 3/2 (ceil), ReLU and local response normalization (radius 2) in one pass, and backwards in another.

   Activations are channels-last, [n][h][w][c], in float or bfloat16; sums and quotients are computed in float. One
   image at a time, so that all of it stays in the cache. NaN goes where PyTorch has it go: through all three.

   pooled   [n][h/2][w/2][c]   after pooling and ReLU, for the way back
   which    the same           place of the maximum in its window, 0 to 8, row by row
   scratch  floats: 2 (c + 4) forwards; 3 (c + 4) + c + h w c backwards */
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define EACH_16_CHANNELS for (long at = 0; at < c; at += 16)
#define REST first(c - at)

INLINE __mmask16 first(long count) { return count >= 16 ? 0xffff : (__mmask16)((1u << count) - 1); }

INLINE __m512 load(const void *from, long at, __mmask16 some, int half) {
    if (!half) return _mm512_maskz_loadu_ps(some, (const float *)from + at);
    __m256i bits = _mm256_maskz_loadu_epi16(some, (const uint16_t *)from + at);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

INLINE void store(void *to, long at, __mmask16 some, __m512 values, int half) {
    if (!half) _mm512_mask_storeu_ps((float *)to + at, some, values);
    else _mm256_mask_storeu_epi16((uint16_t *)to + at, some, (__m256i)_mm512_cvtneps_pbh(values));
}

/* Sums over five neighbouring channels; `padded` has two zeros before its first value and after its last. */
INLINE void window_sums(const float *padded, float *sums, long c) {
    for (long at = 0; at < c; at++)
        sums[at] = padded[at] + padded[at + 1] + padded[at + 2] + padded[at + 3] + padded[at + 4];
}

/* d = 1 + alpha * sum, and d^(3/4) by two square roots. */
INLINE __m512 denominator(const float *sums, long at, __mmask16 some, float alpha) {
    return _mm512_fmadd_ps(_mm512_set1_ps(alpha), load(sums, at, some, 0), _mm512_set1_ps(1));
}
INLINE __m512 to_three_quarters(__m512 d) {
    __m512 root = _mm512_sqrt_ps(d);
    return _mm512_mul_ps(root, _mm512_sqrt_ps(root));
}

INLINE void forwards(const void *x, void *pooled, uint8_t *which, void *y, float *scratch, long n, long h, long w,
                     long c, float alpha, int half) {
    float *squares = scratch, *sums = squares + c + 4;
    memset(squares, 0, sizeof(float) * (c + 4));
    for (long image = 0; image < n; image++)
        for (long i = 0; i < h / 2; i++)
            for (long j = 0; j < w / 2; j++) {
                long out = ((image * (h / 2) + i) * (w / 2) + j) * c;
                int rows = 2 * i + 2 < h ? 3 : 2, columns = 2 * j + 2 < w ? 3 : 2;
                EACH_16_CHANNELS {
                    __m512 best = _mm512_set1_ps(-INFINITY);
                    __m512i place = _mm512_setzero_si512();
                    for (int a = 0; a < rows; a++)
                        for (int b = 0; b < columns; b++) {
                            __m512 v = load(x, ((image * h + 2 * i + a) * w + 2 * j + b) * c + at, REST, half);
                            __mmask16 wins =
                                _mm512_cmp_ps_mask(v, best, _CMP_GT_OQ) | _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
                            best = _mm512_mask_mov_ps(best, wins, v);
                            place = _mm512_mask_mov_epi32(place, wins, _mm512_set1_epi32(3 * a + b));
                        }
                    best = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(best, _mm512_setzero_ps(), _CMP_NLE_UQ), best);
                    store(pooled, out + at, REST, best, half);
                    _mm_mask_storeu_epi8(which + out + at, REST, _mm512_cvtepi32_epi8(place));
                    store(squares, 2 + at, REST, _mm512_mul_ps(best, best), 0);
                }
                window_sums(squares, sums, c);
                EACH_16_CHANNELS {
                    __m512 power = to_three_quarters(denominator(sums, at, REST, alpha));
                    store(y, out + at, REST, _mm512_div_ps(load(pooled, out + at, REST, half), power), half);
                }
            }
}

/* With W the window sum: dL/dx = g d^(-3/4) - 3/2 alpha x W(g x d^(-7/4)). */
INLINE void backwards(const void *gy, const void *pooled, const uint8_t *which, void *gx, float *scratch, long n,
                      long h, long w, long c, float alpha, int half) {
    float *squares = scratch, *terms = squares + c + 4, *sums = terms + c + 4, *direct = sums + c + 4,
          *sum = direct + c;
    memset(squares, 0, sizeof(float) * 2 * (c + 4));
    for (long image = 0; image < n; image++) {
        memset(sum, 0, sizeof(float) * h * w * c);
        for (long i = 0; i < h / 2; i++)
            for (long j = 0; j < w / 2; j++) {
                long out = ((image * (h / 2) + i) * (w / 2) + j) * c;
                int rows = 2 * i + 2 < h ? 3 : 2, columns = 2 * j + 2 < w ? 3 : 2;
                EACH_16_CHANNELS {
                    __m512 v = load(pooled, out + at, REST, half);
                    store(squares, 2 + at, REST, _mm512_mul_ps(v, v), 0);
                }
                window_sums(squares, sums, c);
                EACH_16_CHANNELS {
                    __m512 d = denominator(sums, at, REST, alpha);
                    __m512 scaled = _mm512_div_ps(load(gy, out + at, REST, half), _mm512_mul_ps(to_three_quarters(d), d));
                    store(direct, at, REST, _mm512_mul_ps(scaled, d), 0);
                    store(terms, 2 + at, REST, _mm512_mul_ps(scaled, load(pooled, out + at, REST, half)), 0);
                }
                window_sums(terms, sums, c);
                EACH_16_CHANNELS {
                    __m512 v = load(pooled, out + at, REST, half);
                    __m512 factor = _mm512_mul_ps(_mm512_set1_ps(1.5f * alpha), v);
                    __m512 g = _mm512_fnmadd_ps(factor, load(sums, at, REST, 0), load(direct, at, REST, 0));
                    __mmask16 passes = REST & _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ);
                    __m512i place = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(REST, which + out + at));
                    for (int a = 0; a < rows; a++)
                        for (int b = 0; b < columns; b++) {
                            float *to = sum + ((2 * i + a) * w + 2 * j + b) * c;
                            __mmask16 hit = _mm512_mask_cmpeq_epi32_mask(passes, place, _mm512_set1_epi32(3 * a + b));
                            __m512 old = load(to, at, REST, 0);
                            store(to, at, REST, _mm512_mask_add_ps(old, hit, old, g), 0);
                        }
                }
            }
        for (long at = 0; at < h * w * c; at += 16) {
            __mmask16 some = first(h * w * c - at);
            store(gx, image * h * w * c + at, some, load(sum, at, some, 0), half);
        }
    }
}

#define EXPORTED(TYPE, HALF)                                                                                          \
    void forward_##TYPE(const void *x, void *pooled, uint8_t *which, void *y, float *scratch, long n, long h, long w, \
                        long c, float alpha) {                                                                        \
        forwards(x, pooled, which, y, scratch, n, h, w, c, alpha, HALF);                                              \
    }                                                                                                                 \
    void backward_##TYPE(const void *gy, const void *pooled, const uint8_t *which, void *gx, float *scratch, long n,  \
                         long h, long w, long c, float alpha) {                                                       \
        backwards(gy, pooled, which, gx, scratch, n, h, w, c, alpha, HALF);                                           \
    }
EXPORTED(float32, 0)
EXPORTED(bfloat16, 1)
