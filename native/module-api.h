/*
 * Calls of the module API of Redis and Valkey that the module uses, and the constants and structs of their binary interface.
 *
 * Each call is a pointer that the server fills by name. Required ones exist since Redis 6.2; optional ones are null in servers that lack
 * them, and are asked for before they are used.
 */
#ifndef SIMWRIGHT_MODULE_API_H
#define SIMWRIGHT_MODULE_API_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct RedisModuleCtx Ctx;
typedef struct RedisModuleString Str;
typedef struct RedisModuleKey Key;
typedef struct RedisModuleType Type;
typedef struct RedisModuleIO IO;
typedef struct RedisModuleDigest Digest;
typedef struct RedisModuleBlockedClient Blocked;
typedef struct RedisModuleCallReply CallReply;
typedef struct RedisModuleScanCursor Cursor;
typedef struct RedisModuleInfoCtx InfoCtx;
typedef struct RedisModuleCommandFilter Filter;
typedef struct RedisModuleCommandFilterCtx Filtered;
typedef uint64_t TimerId;

typedef int (*Command)(Ctx *ctx, Str **argv, int argc);
typedef void (*ScanStep)(Ctx *ctx, Str *name, Key *key, void *data);
typedef void (*OnSocket)(int fd, void *data, int mask);
typedef void (*OnTimer)(Ctx *ctx, void *data);

enum { API_OK = 0, API_ERROR = 1, API_VERSION = 1 };
enum { OPEN_READ = 1 << 0, OPEN_WRITE = 1 << 1, OPEN_NO_TOUCH = 1 << 16 };
enum { KEY_EMPTY = 0, KEY_STRING = 1, KEY_LIST = 2, KEY_HASH = 3, KEY_MODULE = 6 };
enum { IN_LUA = 1 << 0, IN_MULTI = 1 << 1, IN_REPLICA = 1 << 3, IN_CLUSTER = 1 << 5, NO_BLOCKING = 1 << 21, IN_RESP3 = 1 << 22 };
enum { NO_EXPIRE = -1 };
enum { SOCKET_READABLE = 1, SOCKET_WRITABLE = 2 };
enum { OPTION_HANDLES_IO_ERRORS = 1 << 0, FILTER_NOT_OWN_CALLS = 1 << 0 };
/* Serve whatever key a client asks for, and name no other server for it. */
enum { CLUSTER_NO_REDIRECTION = 1 << 2 };
enum { EVENT_CLIENT = 4, EVENT_CRON = 8, CLIENT_CONNECTED = 0, CLIENT_ON_UNIX_SOCKET = 1 << 4 };

/* The part of a type's methods that Redis 6.2 knows: version 3. */
typedef struct {
    uint64_t version;
    void *(*rdb_load)(IO *io, int encoding);
    void (*rdb_save)(IO *io, void *value);
    void (*aof_rewrite)(IO *io, Str *key, void *value);
    size_t (*memory)(const void *value);
    void (*digest)(Digest *digest, void *value);
    void (*release)(void *value);
    int (*aux_load)(IO *io, int encoding, int when);
    void (*aux_save)(IO *io, int when);
    int aux_triggers;
    size_t (*free_effort)(Str *key, const void *value);
    void (*unlink)(Str *key, const void *value);
    void *(*copy)(Str *from, Str *to, const void *value);
    int (*defrag)(void *ctx, Str *key, void **value);
} TypeMethods;

typedef struct {
    uint64_t id;
    uint64_t version;
} Event;

typedef struct {
    uint64_t version;
    uint64_t flags;
    uint64_t id;
    char address[46];
    uint16_t port;
    uint16_t db;
} ClientInfo;

typedef void (*OnEvent)(Ctx *ctx, Event event, uint64_t sub, void *data);

#define REQUIRED_CALLS(CALL) \
    CALL(void, SetModuleAttribs, (Ctx *, const char *, int, int)) \
    CALL(int, IsModuleNameBusy, (const char *)) \
    CALL(int, CreateCommand, (Ctx *, const char *, Command, const char *, int, int, int)) \
    CALL(Type *, CreateDataType, (Ctx *, const char *, int, TypeMethods *)) \
    CALL(void, SetModuleOptions, (Ctx *, int)) \
    CALL(void, SetClusterFlags, (Ctx *, uint64_t)) \
    CALL(int, SubscribeToServerEvent, (Ctx *, Event, OnEvent)) \
    CALL(int, RegisterInfoFunc, (Ctx *, void (*)(InfoCtx *, int))) \
    CALL(int, InfoAddSection, (InfoCtx *, const char *)) \
    CALL(int, InfoAddFieldCString, (InfoCtx *, const char *, const char *)) \
    CALL(int, InfoAddFieldULongLong, (InfoCtx *, const char *, unsigned long long)) \
    CALL(void, Log, (Ctx *, const char *, const char *, ...)) \
    CALL(void *, Alloc, (size_t)) \
    CALL(void *, Calloc, (size_t, size_t)) \
    CALL(void *, Realloc, (void *, size_t)) \
    CALL(void, Free, (void *)) \
    CALL(Str *, CreateString, (Ctx *, const char *, size_t)) \
    CALL(void, RetainString, (Ctx *, Str *)) \
    CALL(void, FreeString, (Ctx *, Str *)) \
    CALL(const char *, StringPtrLen, (const Str *, size_t *)) \
    CALL(Key *, OpenKey, (Ctx *, Str *, int)) \
    CALL(void, CloseKey, (Key *)) \
    CALL(int, KeyType, (Key *)) \
    CALL(int, DeleteKey, (Key *)) \
    CALL(Type *, ModuleTypeGetType, (Key *)) \
    CALL(void *, ModuleTypeGetValue, (Key *)) \
    CALL(int, ModuleTypeSetValue, (Key *, Type *, void *)) \
    CALL(int, ModuleTypeReplaceValue, (Key *, Type *, void *, void **)) \
    CALL(long long, GetExpire, (Key *)) \
    CALL(int, SetExpire, (Key *, long long)) \
    CALL(int, ReplyWithArray, (Ctx *, long)) \
    CALL(int, ReplyWithLongLong, (Ctx *, long long)) \
    CALL(int, ReplyWithSimpleString, (Ctx *, const char *)) \
    CALL(int, ReplyWithError, (Ctx *, const char *)) \
    CALL(int, ReplyWithString, (Ctx *, Str *)) \
    CALL(int, ReplyWithStringBuffer, (Ctx *, const char *, size_t)) \
    CALL(int, ReplyWithNull, (Ctx *)) \
    CALL(int, ReplyWithDouble, (Ctx *, double)) \
    CALL(int, Replicate, (Ctx *, const char *, const char *, ...)) \
    CALL(int, ReplicateVerbatim, (Ctx *)) \
    CALL(int, IsKeysPositionRequest, (Ctx *)) \
    CALL(void, KeyAtPos, (Ctx *, int)) \
    CALL(int, GetContextFlags, (Ctx *)) \
    CALL(int, GetSelectedDb, (Ctx *)) \
    CALL(int, SelectDb, (Ctx *, int)) \
    CALL(Ctx *, GetDetachedThreadSafeContext, (Ctx *)) \
    CALL(Blocked *, BlockClient, (Ctx *, Command, Command, void (*)(Ctx *, void *), long long)) \
    CALL(int, UnblockClient, (Blocked *, void *)) \
    CALL(void *, GetBlockedClientPrivateData, (Ctx *)) \
    CALL(TimerId, CreateTimer, (Ctx *, long long, OnTimer, void *)) \
    CALL(CallReply *, Call, (Ctx *, const char *, const char *, ...)) \
    CALL(void, FreeCallReply, (CallReply *)) \
    CALL(const char *, CallReplyStringPtr, (CallReply *, size_t *)) \
    CALL(int, DeauthenticateAndCloseClient, (Ctx *, uint64_t)) \
    CALL(uint64_t, GetClientId, (Ctx *)) \
    CALL(void, GetRandomHexChars, (char *, size_t)) \
    CALL(Filter *, RegisterCommandFilter, (Ctx *, void (*)(Filtered *), int)) \
    CALL(int, CommandFilterArgsCount, (Filtered *)) \
    CALL(const Str *, CommandFilterArgGet, (Filtered *, int)) \
    CALL(int, CommandFilterArgReplace, (Filtered *, int, Str *)) \
    CALL(Cursor *, ScanCursorCreate, (void)) \
    CALL(void, ScanCursorDestroy, (Cursor *)) \
    CALL(int, Scan, (Ctx *, Cursor *, ScanStep, void *)) \
    CALL(void, SaveUnsigned, (IO *, uint64_t)) \
    CALL(uint64_t, LoadUnsigned, (IO *)) \
    CALL(void, SaveString, (IO *, Str *)) \
    CALL(Str *, LoadString, (IO *)) \
    CALL(int, IsIOError, (IO *)) \
    CALL(void, EmitAOF, (IO *, const char *, const char *, ...)) \
    CALL(void, DigestAddStringBuffer, (Digest *, const char *, size_t)) \
    CALL(void, DigestAddLongLong, (Digest *, long long)) \
    CALL(void, DigestEndSequence, (Digest *))

/* Since Redis 7.0: the event loop, maps and sets in replies, and the size that a string takes. */
#define OPTIONAL_CALLS(CALL) \
    CALL(int, EventLoopAdd, (int, int, OnSocket, void *)) \
    CALL(int, EventLoopDel, (int, int)) \
    CALL(int, ReplyWithMap, (Ctx *, long)) \
    CALL(int, ReplyWithSet, (Ctx *, long)) \
    CALL(size_t, MallocSizeString, (Str *))

#define DECLARE_CALL(result, name, parameters) static result(*api_##name) parameters;
REQUIRED_CALLS(DECLARE_CALL)
OPTIONAL_CALLS(DECLARE_CALL)
#undef DECLARE_CALL

/* Fills the pointers. Returns the name of a required call that the server lacks, or null. */
static inline const char *load_api(Ctx *ctx) {
    /* The context begins with a pointer to the call that knows all others. A pointer to a function is copied, since C has no cast to it. */
    int (*get)(const char *, void *);
    memcpy(&get, (void *)ctx, sizeof get);
    const char *missing = NULL;
#define LOAD_REQUIRED(result, name, parameters) \
    if (get("RedisModule_" #name, (void *)&api_##name) != API_OK && missing == NULL) missing = #name;
#define LOAD_OPTIONAL(result, name, parameters) \
    if (get("RedisModule_" #name, (void *)&api_##name) != API_OK) api_##name = NULL;
    REQUIRED_CALLS(LOAD_REQUIRED)
    OPTIONAL_CALLS(LOAD_OPTIONAL)
#undef LOAD_REQUIRED
#undef LOAD_OPTIONAL
    return missing;
}

#endif
