/* smg_detection: boxes from the encodings, scores and anchors of an SSD detector.
 *
 * centre = encoding / scale * anchor size + anchor; half size = exp(encoding / scale) * size / 2.
 * Boxes are taken from the highest score down (of equal ones the first), unless one taken before
 * overlaps them by more than a threshold: by their best class, or for each class on its own.
 *
 * Exact: equals the reference of DetectionPostprocess bit for bit, in float32 without contraction.
 * Scratch: 21 bytes for each box, aligned to 4. Inputs are float32, or int8 with scale and zero
 * point. All operands are disjoint.
 */
#ifndef SMG_DETECTION_H
#define SMG_DETECTION_H

#include "smg_math.h"

typedef struct {
    int32_t is_real; /* 1: float32, 0: int8 */
    float scale, zero_point;
} smg_detection_type_t;

typedef struct {
    int32_t boxes, encoding_length, classes, background; /* classes without the background */
    int32_t detections, classes_per_detection, detections_per_class, by_class;
    float score_threshold, overlap_threshold;
    float y_scale, x_scale, h_scale, w_scale;
    smg_detection_type_t encodings, scores, anchors;
} smg_detection_t;

typedef struct {
    float *boxes, *kinds, *scores, *count;
} smg_detected_t;

/* The scratch: corners of all boxes, their scores in the present search, and who is still in it. */
typedef struct {
    float *corners, *scores;
    uint8_t *active;
} smg_candidates_t;

SMG_INLINE float smg_detection_value(const smg_detection_type_t *type, const void *x,
                                     int32_t index) {
    if (type->is_real != 0) {
        return ((const float *)x)[index];
    }
    return ((float)((const int8_t *)x)[index] - type->zero_point) * type->scale;
}

SMG_INLINE void smg_detection_decode(const smg_detection_t *op, const void *encodings,
                                     const void *anchors, float *corners) {
    const smg_detection_type_t *e = &op->encodings;
    const smg_detection_type_t *a = &op->anchors;
    for (int32_t box = 0; box < op->boxes; ++box) {
        const int32_t at = box * op->encoding_length;
        const float height = smg_detection_value(a, anchors, 4 * box + 2);
        const float width = smg_detection_value(a, anchors, 4 * box + 3);
        const float y = smg_detection_value(e, encodings, at) / op->y_scale * height +
                        smg_detection_value(a, anchors, 4 * box);
        const float x = smg_detection_value(e, encodings, at + 1) / op->x_scale * width +
                        smg_detection_value(a, anchors, 4 * box + 1);
        const float half_height =
            0.5f * smg_expf(smg_detection_value(e, encodings, at + 2) / op->h_scale) * height;
        const float half_width =
            0.5f * smg_expf(smg_detection_value(e, encodings, at + 3) / op->w_scale) * width;
        corners[4 * box] = y - half_height;
        corners[4 * box + 1] = x - half_width;
        corners[4 * box + 2] = y + half_height;
        corners[4 * box + 3] = x + half_width;
    }
}

SMG_INLINE float smg_side(float low_a, float high_a, float low_b, float high_b) {
    const float low = low_a > low_b ? low_a : low_b;
    const float high = high_a < high_b ? high_a : high_b;
    return high - low > 0.0f ? high - low : 0.0f;
}

/* Intersection over union. */
SMG_INLINE float smg_overlap(const float *a, const float *b) {
    const float area_a = (a[2] - a[0]) * (a[3] - a[1]);
    const float area_b = (b[2] - b[0]) * (b[3] - b[1]);
    if (area_a <= 0.0f || area_b <= 0.0f) {
        return 0.0f;
    }
    const float shared = smg_side(a[0], a[2], b[0], b[2]) * smg_side(a[1], a[3], b[1], b[3]);
    return shared / (area_a + area_b - shared);
}

/* The score of class `kind` of a box. */
SMG_INLINE float smg_detection_score(const smg_detection_t *op, const void *scores, int32_t box,
                                     int32_t kind) {
    const int32_t columns = op->classes + op->background;
    return smg_detection_value(&op->scores, scores, box * columns + op->background + kind);
}

/* Fills the candidates' scores, of class `kind` or (where that is negative) of the best class. */
SMG_INLINE void smg_detection_enter(const smg_detection_t *op, const void *scores, int32_t kind,
                                    const smg_candidates_t *from) {
    for (int32_t box = 0; box < op->boxes; ++box) {
        float score = smg_detection_score(op, scores, box, kind < 0 ? 0 : kind);
        for (int32_t other = 1; kind < 0 && other < op->classes; ++other) {
            const float next = smg_detection_score(op, scores, box, other);
            score = next > score ? next : score;
        }
        from->scores[box] = score;
        from->active[box] = score >= op->score_threshold;
    }
}

/* Takes the best candidate out, and those that it overlaps; -1 where there is none. */
SMG_INLINE int32_t smg_detection_take(const smg_detection_t *op, const smg_candidates_t *from) {
    int32_t best = -1;
    for (int32_t box = 0; box < op->boxes; ++box) {
        if (from->active[box] != 0 && (best < 0 || from->scores[box] > from->scores[best])) {
            best = box;
        }
    }
    if (best < 0) {
        return best;
    }
    from->active[best] = 0;
    for (int32_t box = 0; box < op->boxes; ++box) {
        if (from->active[box] != 0 &&
            smg_overlap(from->corners + 4 * best, from->corners + 4 * box) >
                op->overlap_threshold) {
            from->active[box] = 0;
        }
    }
    return best;
}

SMG_INLINE void smg_detection_write(const smg_candidates_t *from, const smg_detected_t *to,
                                    int32_t place, int32_t box, int32_t kind, float score) {
    memcpy(to->boxes + 4 * place, from->corners + 4 * box, 4 * sizeof(float));
    to->kinds[place] = (float)kind;
    to->scores[place] = score;
}

/* Whether class a of a box comes before class b: a higher score, or as high and earlier. */
SMG_INLINE bool smg_detection_before(const smg_detection_t *op, const void *scores, int32_t box,
                                     int32_t a, int32_t b) {
    const float score_a = smg_detection_score(op, scores, box, a);
    const float score_b = smg_detection_score(op, scores, box, b);
    return score_a > score_b || (score_a == score_b && a < b);
}

/* The class that follows class `last` (-1: none) in the order of scores. */
SMG_INLINE int32_t smg_detection_next(const smg_detection_t *op, const void *scores, int32_t box,
                                      int32_t last) {
    int32_t best = -1;
    for (int32_t kind = 0; kind < op->classes; ++kind) {
        const bool open = last < 0 || smg_detection_before(op, scores, box, last, kind);
        if (open && (best < 0 || smg_detection_before(op, scores, box, kind, best))) {
            best = kind;
        }
    }
    return best;
}

SMG_INLINE void smg_detection_best(const smg_detection_t *op, const void *scores,
                                   const smg_candidates_t *from, const smg_detected_t *to) {
    const int32_t each = smg_min(op->classes_per_detection, op->classes);
    int32_t taken = 0;
    smg_detection_enter(op, scores, -1, from);
    for (; taken < op->detections; ++taken) {
        const int32_t box = smg_detection_take(op, from);
        if (box < 0) {
            break;
        }
        int32_t kind = -1;
        for (int32_t i = 0; i < each; ++i) {
            kind = smg_detection_next(op, scores, box, kind);
            const float score = smg_detection_score(op, scores, box, kind);
            smg_detection_write(from, to, taken * op->classes_per_detection + i, box, kind, score);
        }
    }
    *to->count = (float)taken;
}

/* Puts a box into the list of the best of all classes, behind those that are not worse. */
SMG_INLINE int32_t smg_detection_insert(const smg_detection_t *op, const smg_candidates_t *from,
                                        const smg_detected_t *to, int32_t count, int32_t box,
                                        int32_t kind) {
    const float score = from->scores[box];
    int32_t place = count;
    while (place > 0 && to->scores[place - 1] < score) {
        --place;
    }
    if (place == op->detections) {
        return count;
    }
    const int32_t grown = smg_min(count + 1, op->detections);
    const size_t moved = (size_t)(grown - 1 - place);
    memmove(to->boxes + 4 * (place + 1), to->boxes + 4 * place, 4 * moved * sizeof(float));
    memmove(to->kinds + place + 1, to->kinds + place, moved * sizeof(float));
    memmove(to->scores + place + 1, to->scores + place, moved * sizeof(float));
    smg_detection_write(from, to, place, box, kind, score);
    return grown;
}

SMG_INLINE void smg_detection_by_class(const smg_detection_t *op, const void *scores,
                                       const smg_candidates_t *from, const smg_detected_t *to) {
    int32_t count = 0;
    for (int32_t kind = 0; kind < op->classes; ++kind) {
        smg_detection_enter(op, scores, kind, from);
        for (int32_t taken = 0; taken < op->detections_per_class; ++taken) {
            const int32_t box = smg_detection_take(op, from);
            if (box < 0) {
                break;
            }
            count = smg_detection_insert(op, from, to, count, box, kind);
        }
    }
    *to->count = (float)count;
}

SMG_KERNEL void smg_detection(const smg_detection_t *op, const void *encodings, const void *scores,
                              const void *anchors, float *boxes, float *kinds, float *best,
                              float *count, void *scratch) {
    float *corners = (float *)scratch;
    const smg_candidates_t from = {corners, corners + 4 * op->boxes,
                                   (uint8_t *)(corners + 5 * op->boxes)};
    const smg_detected_t to = {boxes, kinds, best, count};
    const size_t most = (size_t)(op->detections * op->classes_per_detection);
    memset(boxes, 0, 4 * most * sizeof(float));
    memset(kinds, 0, most * sizeof(float));
    memset(best, 0, most * sizeof(float));
    smg_detection_decode(op, encodings, anchors, corners);
    if (op->by_class != 0) {
        smg_detection_by_class(op, scores, &from, &to);
    } else {
        smg_detection_best(op, scores, &from, &to);
    }
}

#endif
