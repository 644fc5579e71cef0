#pragma once

#include "front/redis/command_table.h"

// Every command's function, by the file it stands in. Each takes a call whose words the row
// accepts.

namespace stator::redis {

// connection_commands.cc
void do_ping(Call& call);
void do_echo(Call& call);
void do_quit(Call& call);
void do_reset(Call& call);
void do_select(Call& call);
void do_hello(Call& call);
void do_auth(Call& call);
void do_ok(Call& call);  // READONLY, READWRITE, ASKING and whatever else changes nothing here

// client_commands.cc
void do_client_id(Call& call);
void do_client_getname(Call& call);
void do_client_setname(Call& call);
void do_client_setinfo(Call& call);
void do_client_list(Call& call);
void do_client_info(Call& call);
void do_client_kill(Call& call);
void do_client_reply(Call& call);
void do_client_switch(Call& call);  // NO-EVICT, NO-TOUCH

// string_commands.cc
void do_get(Call& call);
void do_set(Call& call);
void do_setex(Call& call);
void do_psetex(Call& call);
void do_getset(Call& call);
void do_getdel(Call& call);
void do_getex(Call& call);
void do_strlen(Call& call);

// multi_key_commands.cc
void do_mget(Call& call);
void do_mset(Call& call);
void do_del(Call& call);
void do_exists(Call& call);

// expiry_commands.cc
void do_type(Call& call);
void do_expire(Call& call);
void do_pexpire(Call& call);
void do_expireat(Call& call);
void do_pexpireat(Call& call);
void do_ttl(Call& call);
void do_pttl(Call& call);
void do_expiretime(Call& call);
void do_pexpiretime(Call& call);
void do_persist(Call& call);

// scan_commands.cc
void do_scan(Call& call);
void do_dbsize(Call& call);

// dynamo_commands.cc
void do_st_get(Call& call);
void do_st_put(Call& call);
void do_st_del(Call& call);
// explain_command.cc
void do_st_explain(Call& call);

// server_commands.cc
void do_info(Call& call);
void do_config_get(Call& call);
void do_time(Call& call);

// command_command.cc
void do_command(Call& call);
void do_command_count(Call& call);
void do_command_list(Call& call);
void do_command_info(Call& call);
void do_command_docs(Call& call);
void do_command_getkeys(Call& call);

// cluster_commands.cc
void do_cluster_slots(Call& call);
void do_cluster_shards(Call& call);
void do_cluster_nodes(Call& call);
void do_cluster_info(Call& call);
void do_cluster_myid(Call& call);
void do_cluster_keyslot(Call& call);
void do_cluster_replicas(Call& call);

}  // namespace stator::redis
