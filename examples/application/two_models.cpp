/* two_models.cpp - two networks in a C++ program: a tiny one looks first, at 7 x 7 pixels; the large one is asked only
 * where the tiny one is not sure. One arena serves both, for they do not run at the same time. */
#include "fashion.h"
#include "images.h"
#include "tiny.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace
{

using Score = std::array<float, FASHION_OUTPUT_SIZE>;
static_assert(TINY_OUTPUT_SIZE == FASHION_OUTPUT_SIZE, "both networks know the same classes");

alignas(FASHION_ARENA_ALIGN) unsigned char arena[std::max(TINY_ARENA_BYTES, FASHION_ARENA_BYTES)];

std::array<uint8_t, TINY_INPUT_SIZE> shrink(const uint8_t *image)
{
    std::array<uint8_t, TINY_INPUT_SIZE> small{};
    for (int i = 0; i < TINY_INPUT_SIZE; i++) {
        int sum = 0;
        for (int k = 0; k < 16; k++)
            sum += image[(i / 7 * 4 + k / 4) * 28 + i % 7 * 4 + k % 4];
        small[static_cast<size_t>(i)] = static_cast<uint8_t>(sum / 16);
    }
    return small;
}

int best_of(const Score &score)
{
    return static_cast<int>(std::max_element(score.begin(), score.end()) - score.begin());
}

/* The lead of the best class over the next one. */
float lead_of(Score score)
{
    std::partial_sort(score.begin(), score.begin() + 2, score.end(), [](float a, float b) { return a > b; });
    return score[0] - score[1];
}

} // namespace

int main()
{
    int wrong = 0, asked = 0;
    for (int i = 0; i < NUM_IMAGES; i++) {
        Score score;
        tiny_run_in(arena, shrink(images[i]).data(), score.data());
        const bool sure = lead_of(score) > 3;
        if (!sure)
            fashion_run_in(arena, images[i], score.data());
        asked += !sure;
        wrong += best_of(score) != i;
        std::printf("%-10s  %s: %s\n", class_names[i], sure ? "tiny" : "large", class_names[best_of(score)]);
    }
    std::printf("%d of %d right, the large network was asked %d times\n", NUM_IMAGES - wrong, NUM_IMAGES, asked);
    return wrong > 2;
}
