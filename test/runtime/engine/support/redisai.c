/*
 * Stand-in for RedisAI: takes the options of the true one, refuses others, and has commands of the same names, with which it does as little as
 * tests need: a model is a string, a tensor two numbers of type FLOAT, and a run of a model copies the first input.
 */
#include "module-api.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static char given[1024];

static const char *text(const Str *word) { return api_StringPtrLen(word, NULL); }

static int answer(Ctx *ctx, CallReply *reply) {
    if (reply == NULL) return api_ReplyWithError(ctx, "ERR the call failed");
    api_FreeCallReply(reply);
    return api_ReplyWithSimpleString(ctx, "OK");
}

static int config(Ctx *ctx, Str **argv, int argc) {
    if (argc == 3 && strcasecmp(text(argv[1]), "GET") == 0) {
        if (strcasecmp(text(argv[2]), "MODEL_CHUNK_SIZE") == 0) return api_ReplyWithLongLong(ctx, 535822336);
        return api_ReplyWithStringBuffer(ctx, given, strlen(given));
    }
    return api_ReplyWithSimpleString(ctx, "OK");
}

static int store(Ctx *ctx, Str **argv, int argc) {
    if (argc < 4) return api_ReplyWithError(ctx, "ERR wrong number of arguments");
    return answer(ctx, api_Call(ctx, "SET", "ss", argv[1], argv[2]));
}

static int set_tensor(Ctx *ctx, Str **argv, int argc) {
    if (argc < 4) return api_ReplyWithError(ctx, "ERR wrong number of arguments");
    return answer(ctx, api_Call(ctx, "SET", "ss", argv[1], argv[argc - 1]));
}

static int get_tensor(Ctx *ctx, Str **argv, int argc) {
    CallReply *reply = argc < 2 ? NULL : api_Call(ctx, "GET", "s", argv[1]);
    size_t length = 0;
    const char *bytes = reply == NULL ? NULL : api_CallReplyStringPtr(reply, &length);
    if (bytes == NULL) return api_ReplyWithError(ctx, "ERR tensor key is empty or in a different shard");
    api_ReplyWithArray(ctx, 6);
    api_ReplyWithSimpleString(ctx, "dtype");
    api_ReplyWithSimpleString(ctx, "FLOAT");
    api_ReplyWithSimpleString(ctx, "shape");
    api_ReplyWithArray(ctx, 2);
    api_ReplyWithLongLong(ctx, 1);
    api_ReplyWithLongLong(ctx, 2);
    api_ReplyWithSimpleString(ctx, "blob");
    api_ReplyWithStringBuffer(ctx, bytes, length);
    api_FreeCallReply(reply);
    return API_OK;
}

static int execute(Ctx *ctx, Str **argv, int argc) {
    if (argc < 8) return api_ReplyWithError(ctx, "ERR wrong number of arguments");
    return answer(ctx, api_Call(ctx, "COPY", "ssc", argv[4], argv[7], "REPLACE"));
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(Ctx *ctx, Str **argv, int argc) {
    static const char *const options[] = {"BACKENDSPATH", "THREADS_PER_QUEUE", "INTER_OP_PARALLELISM", "INTRA_OP_PARALLELISM",
                                          "MODEL_EXECUTION_TIMEOUT"};
    if (load_api(ctx) != NULL || api_IsModuleNameBusy("ai")) return API_ERROR;
    api_SetModuleAttribs(ctx, "ai", 10207, API_VERSION);
    for (int at = 0; at < argc; at += 2) {
        size_t option = 0;
        while (option < sizeof options / sizeof *options && strcmp(options[option], text(argv[at])) != 0) option++;
        if (option == sizeof options / sizeof *options || at + 1 == argc) return API_ERROR;
        size_t length = strlen(given);
        snprintf(given + length, sizeof given - length, "%s%s %s", at == 0 ? "" : " ", text(argv[at]), text(argv[at + 1]));
    }
    return api_CreateCommand(ctx, "ai.config", config, "readonly", 0, 0, 0) == API_OK &&
                   api_CreateCommand(ctx, "ai.tensorset", set_tensor, "write", 1, 1, 1) == API_OK &&
                   api_CreateCommand(ctx, "ai.tensorget", get_tensor, "readonly", 1, 1, 1) == API_OK &&
                   api_CreateCommand(ctx, "ai.modelstore", store, "write", 1, 1, 1) == API_OK &&
                   api_CreateCommand(ctx, "ai.modelexecute", execute, "write", 1, 1, 1) == API_OK
               ? API_OK
               : API_ERROR;
}
