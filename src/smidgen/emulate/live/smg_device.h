/* What the firmware of a live device is made of: a UART, a timer, a model, and the command loop.
 *
 * The host plays the hardware. It puts received characters into smg_uart_rx and calls
 * smg_device_receive; it takes what is to be sent from smg_uart_tx and sets smg_uart_tx_count to 0;
 * it sets the timer when smg_device_status asks for it; it calls smg_device_step or
 * smg_device_infer while the status is not idle. Everything else (parsing, loading, inference,
 * printing) happens in here. */
#ifndef SMG_DEVICE_H
#define SMG_DEVICE_H

#include <stdint.h>

#define SMG_UART_RX_BYTES 256U
#define SMG_UART_TX_BYTES 1024U
#define SMG_COMMAND_CHARACTERS 80U

enum {
    SMG_IDLE,           /* waits for characters */
    SMG_BUSY,           /* wants smg_device_step */
    SMG_WANTS_TIME,     /* wants smg_device_step with the timer set to now */
    SMG_WANTS_INFERENCE /* wants smg_device_infer */
};

/* How an output is printed: as a floating-point number, or as
 * ((q - zero_point) * multiplier / 2^shift) units of 10^-decimals, rounded to the nearest. */
typedef struct {
    const void *data;
    uint32_t elements;
    uint32_t element_bytes;
    uint32_t is_signed;
    uint32_t is_float;
    int32_t zero_point;
    uint32_t multiplier;
    uint32_t shift;
    uint32_t decimals;
} smg_output_t;

/* The model and its names, made by smidgen. */
typedef struct {
    const char *name;
    const char *model;
    const smg_output_t *outputs;
    uint32_t output_count;
    uint8_t *buffer; /* what the host sends for one inference */
    uint32_t buffer_bytes;
    void (*init)(void);
    void (*load)(void); /* from the buffer to the model's inputs */
    void (*run)(void);
    void (*score)(void); /* what is left to compute for the outputs */
} smg_device_t;

extern const smg_device_t smg_device;

/* Seconds and microseconds since power-up. */
extern volatile uint32_t smg_timer_s, smg_timer_us;
extern volatile uint8_t smg_uart_rx[SMG_UART_RX_BYTES];
extern volatile uint8_t smg_uart_tx[SMG_UART_TX_BYTES];
extern volatile uint32_t smg_uart_tx_count;
extern volatile uint32_t smg_device_status;

/* Once after power-up. */
void smg_device_boot(void);

/* `count` characters are in smg_uart_rx; returns how many of them were taken, which is up to the
 * end of a command. Not to be called unless idle. */
unsigned smg_device_receive(unsigned count);

/* One small piece of the running command. */
void smg_device_step(void);

/* One inference. Apart from the steps, because the host looks closely at the first calls of each
 * function (what they wait for memory), and these are the ones whose time is told. */
void smg_device_infer(void);

/* Text to the UART. Characters that its buffer has no room for are lost. */
void smg_put_text(const char *text);
void smg_put_number(uint32_t number);
void smg_put_byte(uint8_t byte); /* as two hexadecimal digits */
void smg_put_time(void);         /* microseconds since power-up */
void smg_put_output(const smg_output_t *output, uint32_t index);

#endif
