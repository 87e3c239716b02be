/*
 * Client that asks a server the same question again and again over some connections, and throws the answers away as they come: it costs as little
 * as a client can, so that the rates of two servers differ by what the servers do.
 * usage: reader PORT CONNECTIONS REQUESTS WORD...     prints answers a second
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 64, PIECE = 256 * 1024, QUIET_MS = 300 };

static char question[4096], piece[PIECE];
static size_t question_bytes;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void ask(int fd) {
    if (write(fd, question, question_bytes) != (ssize_t)question_bytes) fail("write");
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Bytes of an answer: all that come until nothing does. Those of the same question are as long. */
static size_t answer_bytes(int fd) {
    size_t bytes = 0;
    ask(fd);
    for (struct pollfd one = {fd, POLLIN, 0}; poll(&one, 1, QUIET_MS) > 0;) {
        ssize_t read = recv(fd, piece, sizeof piece, 0);
        if (read <= 0) fail("recv");
        bytes += (size_t)read;
    }
    return bytes;
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int connections = atoi(argv[2]);
    long requests = atol(argv[3]);
    if (connections < 1 || connections > MOST_CONNECTIONS) return 2;
    question_bytes = (size_t)snprintf(question, sizeof question, "*%d\r\n", argc - 4);
    for (int word = 4; word < argc; word++)
        question_bytes += (size_t)snprintf(question + question_bytes, sizeof question - question_bytes, "$%zu\r\n%s\r\n", strlen(argv[word]), argv[word]);
    struct pollfd fds[MOST_CONNECTIONS];
    size_t left[MOST_CONNECTIONS];
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int at = 0; at < connections; at++) {
        fds[at] = (struct pollfd){socket(AF_INET, SOCK_STREAM, 0), POLLIN, 0};
        if (connect(fds[at].fd, (struct sockaddr *)&server, sizeof server) != 0) fail("connect");
        setsockopt(fds[at].fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    }
    size_t bytes = answer_bytes(fds[0].fd);
    double begun = now();
    long asked = 0, answered = 0;
    for (int at = 0; at < connections; at++) {
        left[at] = bytes;
        ask(fds[at].fd);
        asked++;
    }
    while (answered < requests) {
        if (poll(fds, (nfds_t)connections, -1) < 0) fail("poll");
        for (int at = 0; at < connections; at++) {
            if (fds[at].revents == 0) continue;
            ssize_t read = recv(fds[at].fd, piece, left[at] < sizeof piece ? left[at] : sizeof piece, 0);
            if (read <= 0) fail("recv");
            left[at] -= (size_t)read;
            if (left[at] > 0) continue;
            answered++;
            left[at] = bytes;
            if (asked >= requests) continue;
            ask(fds[at].fd);
            asked++;
        }
    }
    printf("%.1f\n", (double)answered / (now() - begun));
    return 0;
}
