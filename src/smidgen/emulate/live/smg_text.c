/* Numbers and text to the UART, without division: small cores have none. */
#include "smg_device.h"

#include <string.h>

volatile uint32_t smg_timer_s, smg_timer_us;
volatile uint8_t smg_uart_tx[SMG_UART_TX_BYTES];
volatile uint32_t smg_uart_tx_count;

static const uint64_t powers_of_ten[] = {
    1ULL,
    10ULL,
    100ULL,
    1000ULL,
    10000ULL,
    100000ULL,
    1000000ULL,
    10000000ULL,
    100000000ULL,
    1000000000ULL,
    10000000000ULL,
    100000000000ULL,
    1000000000000ULL,
    10000000000000ULL,
    100000000000000ULL,
    1000000000000000ULL,
    10000000000000000ULL,
    100000000000000000ULL,
    1000000000000000000ULL,
    10000000000000000000ULL,
};

static void put(char character) {
    const uint32_t at = smg_uart_tx_count;
    if (at < SMG_UART_TX_BYTES) {
        smg_uart_tx[at] = (uint8_t)character;
        smg_uart_tx_count = at + 1U;
    }
}

void smg_put_text(const char *text) {
    while (*text != '\0') {
        put(*text++);
    }
}

/* `number` with at least `digits` digits and a point before the last `decimals`. */
static void put_decimal(uint64_t number, uint32_t digits, uint32_t decimals) {
    uint32_t place = 19U;
    while (place >= digits && number < powers_of_ten[place]) {
        --place;
    }
    for (;; --place) {
        char digit = '0';
        for (; number >= powers_of_ten[place]; number -= powers_of_ten[place]) {
            ++digit;
        }
        put(digit);
        if (place == 0U) {
            return;
        }
        if (place == decimals) {
            put('.');
        }
    }
}

void smg_put_number(uint32_t number) {
    put_decimal(number, 1U, 0U);
}

void smg_put_byte(uint8_t byte) {
    const char *digits = "0123456789abcdef";
    put(digits[byte >> 4]);
    put(digits[byte & 15U]);
}

void smg_put_time(void) {
    put_decimal((uint64_t)smg_timer_s * 1000000U + smg_timer_us, 1U, 0U);
}

/* floor(number / 10) by shifts: 0.8 is 0.110011001100... in binary. */
static uint64_t tenth(uint64_t number) {
    uint64_t quotient = (number >> 1) + (number >> 2);
    quotient += quotient >> 4;
    quotient += quotient >> 8;
    quotient += quotient >> 16;
    quotient += quotient >> 32;
    quotient >>= 3;
    return quotient + (number - quotient * 10U > 9U ? 1U : 0U);
}

/* mantissa * 2^exponent as nine significant digits and a power of ten. */
static void put_scientific(uint64_t mantissa, int32_t exponent) {
    int32_t tens = 0;
    for (; exponent > 0; --exponent) {
        while (mantissa >= 1ULL << 62) {
            mantissa = tenth(mantissa);
            ++tens;
        }
        mantissa <<= 1;
    }
    for (; exponent < 0; ++exponent) {
        while (mantissa < 1ULL << 59) {
            mantissa *= 10U;
            --tens;
        }
        mantissa >>= 1;
    }
    while (mantissa < 1000000000ULL) {
        mantissa *= 10U;
        --tens;
    }
    for (; mantissa >= 10000000000ULL; mantissa = tenth(mantissa)) {
        ++tens;
    }
    mantissa = tenth(mantissa + 5U); /* 9 digits, or 10 where rounding carries */
    tens += 9;
    put_decimal(mantissa, 9U, mantissa < 1000000000ULL ? 8U : 9U);
    tens += mantissa < 1000000000ULL ? 0 : 1;
    put('e');
    if (tens < 0) {
        put('-');
    }
    smg_put_number((uint32_t)(tens < 0 ? -tens : tens));
}

/* IEEE 754 binary32. */
static void put_float(uint32_t bits) {
    const uint32_t exponent = (bits >> 23) & 255U;
    const uint32_t fraction = bits & 0x7FFFFFU;
    if (exponent == 255U && fraction != 0U) {
        smg_put_text("nan");
        return;
    }
    if (bits >> 31) {
        put('-');
    }
    if (exponent == 255U) {
        smg_put_text("inf");
    } else if (exponent == 0U && fraction == 0U) {
        smg_put_text("0.0");
    } else if (exponent == 0U) {
        put_scientific(fraction, -149);
    } else {
        put_scientific(fraction | 0x800000U, (int32_t)exponent - 150);
    }
}

/* The element as it lies in memory, in little-endian order, its sign extended. */
static int64_t element(const smg_output_t *output, uint32_t index) {
    const uint32_t bits = 8U * output->element_bytes;
    uint8_t raw[8];
    uint64_t value = 0;
    memcpy(raw, (const uint8_t *)output->data + index * output->element_bytes,
           (size_t)output->element_bytes);
    for (uint32_t i = 0; i < output->element_bytes; ++i) {
        value |= (uint64_t)raw[i] << (8U * i);
    }
    if (output->is_signed && bits < 64U && ((value >> (bits - 1U)) & 1U) != 0U) {
        value |= ~0ULL << bits;
    }
    return (int64_t)value;
}

void smg_put_output(const smg_output_t *output, uint32_t index) {
    const int64_t value = element(output, index);
    if (output->is_float) {
        put_float((uint32_t)value);
        return;
    }
    const int64_t quanta = value - output->zero_point;
    const int is_negative = quanta < 0 && (output->is_signed || output->zero_point != 0);
    if (is_negative) {
        put('-');
    }
    uint64_t units = (is_negative ? 0U - (uint64_t)quanta : (uint64_t)quanta) * output->multiplier;
    if (output->shift > 0U) {
        units = (units + (1ULL << (output->shift - 1U))) >> output->shift;
    }
    put_decimal(units, output->decimals + 1U, output->decimals);
}
