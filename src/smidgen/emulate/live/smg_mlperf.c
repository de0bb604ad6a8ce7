/* The command loop of the MLPerf Tiny device protocol: a command ends with '%', its words are
 * separated by spaces, and every answer ends with "m-ready".
 *
 * Commands and answers are those of the public benchmark (github.com/mlcommons/tiny,
 * benchmark/api). A command runs in steps, so that answers appear as they are made and the timer
 * can be read between two inferences. */
#include "smg_device.h"

enum job {
    JOB_NONE,
    JOB_BOOT,
    JOB_TIMESTAMP,
    JOB_WARMUP,
    JOB_WARMED,
    JOB_START,
    JOB_INFER,
    JOB_STOP,
    JOB_RESULTS,
    JOB_PRINT,
    JOB_READY
};

#define NUMBER_LIMIT 2147483647U
#define PRINTED_BYTES_A_LINE 8U

volatile uint8_t smg_uart_rx[SMG_UART_RX_BYTES];
volatile uint32_t smg_device_status;

static char command[SMG_COMMAND_CHARACTERS + 1U];
static uint32_t command_length;
static char *rest; /* of the command, behind the words that were taken */
static uint32_t word_length;
static uint32_t expected_bytes, loaded_bytes;
static enum job job;
static uint32_t inferences, runs_left;
static uint32_t port, position; /* of what is being printed */

static void next(enum job what) {
    job = what;
    if (what == JOB_NONE) {
        smg_device_status = SMG_IDLE;
    } else if (what == JOB_BOOT || what == JOB_TIMESTAMP || what == JOB_START || what == JOB_STOP) {
        smg_device_status = SMG_WANTS_TIME;
    } else if (what == JOB_WARMUP || what == JOB_INFER) {
        smg_device_status = SMG_WANTS_INFERENCE;
    } else {
        smg_device_status = SMG_BUSY;
    }
}

static void say_number(const char *before, uint32_t number, const char *after) {
    smg_put_text(before);
    smg_put_number(number);
    smg_put_text(after);
}

static void say_name(const char *before, const char *name) {
    smg_put_text(before);
    smg_put_text(name);
    smg_put_text("]\r\n");
}

/* The next word of the command; empty at its end. */
static char *word(void) {
    while (*rest == ' ') {
        ++rest;
    }
    char *start = rest;
    while (*rest != ' ' && *rest != '\0') {
        ++rest;
    }
    word_length = (uint32_t)(rest - start);
    if (*rest == ' ') {
        *rest++ = '\0';
    }
    return start;
}

static int is(const char *text, const char *other) {
    for (; *text != '\0' && *text == *other; ++text) {
        ++other;
    }
    return *text == *other;
}

/* As far as digits go; 0 for none, and for a negative number, which no command takes. */
static uint32_t number_in(const char *text) {
    uint32_t number = 0;
    for (; *text >= '0' && *text <= '9'; ++text) {
        const uint32_t digit = (uint32_t)(*text - '0');
        if (number > (NUMBER_LIMIT - digit) / 10U) {
            return NUMBER_LIMIT;
        }
        number = number * 10U + digit;
    }
    return number;
}

static int32_t hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static void load(void) {
    const char *size = word();
    const uint32_t bytes = number_in(size);
    loaded_bytes = 0;
    expected_bytes = 0;
    if (*size == '\0') {
        smg_put_text("e-[Command 'db load' requires the # of bytes]\r\n");
    } else if (bytes == 0U) {
        smg_put_text("e-[Command 'db load' must be >0 bytes]\r\n");
    } else if (bytes > smg_device.buffer_bytes) {
        say_number("e-[Supplied buffer size ", bytes, " exceeds maximum of ");
        say_number("", smg_device.buffer_bytes, "]\r\n");
    } else {
        expected_bytes = bytes;
        say_number("m-[Expecting ", bytes, " bytes]\r\n");
    }
}

static void refuse_digits(const char *digits) {
    const char shown[3] = {digits[0], digits[1], '\0'};
    smg_put_text("e-[Invalid hex digit '");
    smg_put_text(shown);
    smg_put_text("']\r\n");
}

/* What comes after the last expected byte is disregarded. */
static void append(const char *digits) {
    if ((word_length & 1U) != 0U) {
        smg_put_text("e-[Insufficent number of hex digits]\r\n");
        return;
    }
    if (loaded_bytes >= expected_bytes) {
        smg_put_text("e-[No bytes are expected: use 'db load']\r\n");
        return;
    }
    for (; *digits != '\0'; digits += 2) {
        const int32_t high = hex_digit(digits[0]), low = hex_digit(digits[1]);
        if (high < 0 || low < 0) {
            refuse_digits(digits);
            return;
        }
        smg_device.buffer[loaded_bytes++] = (uint8_t)(high * 16 + low);
        if (loaded_bytes == expected_bytes) {
            smg_put_text("m-load-done\r\n");
            return;
        }
    }
}

static void database(void) {
    const char *what = word();
    if (*what == '\0') {
        smg_put_text("e-[Command 'db' requires a subcommand]\r\n");
    } else if (is(what, "load")) {
        load();
    } else if (is(what, "print")) {
        position = 0;
        next(JOB_PRINT);
    } else {
        append(what);
    }
}

static void infer(void) {
    const char *count = word(), *warmups = word();
    inferences = *count == '\0' ? 1U : number_in(count);
    runs_left = *warmups == '\0' ? 10U : number_in(warmups);
    if (inferences == 0U) {
        smg_put_text("e-[Inference iterations must be >0]\r\n");
    } else if (*warmups == '-') {
        smg_put_text("e-[Inference warmup must be >=0]\r\n");
    } else if (loaded_bytes != smg_device.buffer_bytes) {
        say_number("e-[Input db has ", loaded_bytes, " bytes, expected ");
        say_number("", smg_device.buffer_bytes, "]\r\n");
    } else {
        say_number("m-warmup-start-", runs_left, "\r\n");
        next(runs_left > 0U ? JOB_WARMUP : JOB_WARMED);
    }
}

static void results(void) {
    port = 0;
    position = 0;
    smg_put_text("m-results-[");
    next(JOB_RESULTS);
}

static void help(void) {
    smg_put_text("ULPMark for tinyML Firmware V0.0.1\r\n\r\n"
                 "help              this text\r\n"
                 "name              the device's name\r\n"
                 "profile           the firmware's and the model's name\r\n"
                 "timestamp         microseconds since power-up, by modelled clocks\r\n"
                 "db load N         make ready for N bytes\r\n"
                 "db HH[HH]*        the next bytes, in hexadecimal\r\n"
                 "db print          the bytes so far\r\n"
                 "infer [N=1 [W=10]]  W inferences unmeasured, N measured, and the results\r\n"
                 "results           the model's outputs of the last inference\r\n");
}

static void refuse(const char *name) {
    smg_put_text("e-[Unknown command: ");
    smg_put_text(name);
    smg_put_text("]\r\n");
}

static void obey(const char *name) {
    if (is(name, "name")) {
        say_name("m-name-dut-[", smg_device.name);
    } else if (is(name, "timestamp")) {
        next(JOB_TIMESTAMP);
    } else if (is(name, "profile")) {
        smg_put_text("m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\n");
        say_name("m-model-[", smg_device.model);
    } else if (is(name, "help")) {
        help();
    } else if (is(name, "db")) {
        database();
    } else if (is(name, "infer")) {
        infer();
    } else if (is(name, "results")) {
        results();
    } else {
        refuse(name);
    }
}

static void take_command(void) {
    next(JOB_READY);
    if (command_length > SMG_COMMAND_CHARACTERS) {
        say_number("e-[Command is longer than ", SMG_COMMAND_CHARACTERS, " characters]\r\n");
    } else {
        command[command_length] = '\0';
        rest = command;
        obey(word());
    }
    command_length = 0;
}

/* A terminal's line ends are no part of a command, and other control characters are not echoed. */
static void take_character(char character) {
    if (character == '\r' || character == '\n') {
        return;
    }
    if (command_length < SMG_COMMAND_CHARACTERS) {
        command[command_length] = character < ' ' || character > '~' ? '?' : character;
    }
    if (command_length <= SMG_COMMAND_CHARACTERS) {
        ++command_length;
    }
}

unsigned smg_device_receive(unsigned count) {
    for (unsigned i = 0; i < count && i < SMG_UART_RX_BYTES; ++i) {
        const char character = (char)smg_uart_rx[i];
        if (character == '%') {
            take_command();
            return i + 1U;
        }
        take_character(character);
    }
    return count;
}

static void lap(void) {
    smg_put_text("m-lap-us-");
    smg_put_time();
    smg_put_text("\r\n");
}

void smg_device_boot(void) {
    smg_device.init();
    next(JOB_BOOT);
}

static void boot(void) {
    smg_put_text("m-timestamp-mode-performance\r\n");
    lap();
    smg_put_text("m-init-done\r\n");
    next(JOB_READY);
}

static void end_warmup(void) {
    smg_put_text("m-warmup-done\r\n");
    say_number("m-infer-start-", inferences, "\r\n");
    next(JOB_START);
}

static void start_measuring(void) {
    lap();
    runs_left = inferences;
    next(JOB_INFER);
}

/* The model may overwrite its inputs, so they are loaded for each inference. */
void smg_device_infer(void) {
    smg_device.load();
    smg_device.run();
    if (--runs_left == 0U) {
        next(job == JOB_WARMUP ? JOB_WARMED : JOB_STOP);
    }
}

static void stop_measuring(void) {
    lap();
    smg_put_text("m-infer-done\r\n");
    smg_device.score();
    results();
}

static void print_result(void) {
    const smg_output_t *output = &smg_device.outputs[port];
    if (port > 0U || position > 0U) {
        smg_put_text(",");
    }
    smg_put_output(output, position);
    if (++position == output->elements) {
        position = 0;
        ++port;
    }
    if (port == smg_device.output_count) {
        smg_put_text("]\r\n");
        next(JOB_READY);
    }
}

static void print_line(void) {
    for (uint32_t i = 0; i < PRINTED_BYTES_A_LINE && position < loaded_bytes; ++i, ++position) {
        smg_put_text(i == 0U ? "m-buffer-" : "-");
        smg_put_byte(smg_device.buffer[position]);
    }
    smg_put_text("\r\n");
    if (position == loaded_bytes) {
        next(JOB_READY);
    }
}

void smg_device_step(void) {
    switch (job) {
    case JOB_BOOT:
        boot();
        break;
    case JOB_TIMESTAMP:
        lap();
        next(JOB_READY);
        break;
    case JOB_WARMED:
        end_warmup();
        break;
    case JOB_START:
        start_measuring();
        break;
    case JOB_STOP:
        stop_measuring();
        break;
    case JOB_RESULTS:
        print_result();
        break;
    case JOB_PRINT:
        print_line();
        break;
    case JOB_READY:
        smg_put_text("m-ready\r\n");
        next(JOB_NONE);
        break;
    case JOB_WARMUP:
    case JOB_INFER:
    case JOB_NONE:
        break;
    }
}
