module.exports=[48318,a=>a.a(async(b,c)=>{try{var d=a.i(66680);a.i(87433);var e=a.i(85728);a.i(79416);var f=a.i(85934),g=a.i(40553);a.i(83704);var h=a.i(81259),i=b([f,g]);async function j(a){let{rows:b}=await (0,h.f)().pool.query(`select person.id, person.name, person.email, member.role, member."createdAt" as "joinedAt"
     from ${f.f}.member join ${f.f}."user" person on person.id = member."userId"
     where member."organizationId" = $1
     order by array_position(array['owner', 'admin', 'member'], member.role), lower(person.name)`,[a.space.id]);return b.map(a=>({...a,role:(0,g.I)(a.role),joinedAt:a.joinedAt.toISOString()}))}async function k(a){let{rows:b}=await (0,h.f)().pool.query(`select invitation.id, invitation.role, invitation.email, person.name as "invitedBy", invitation.expires_at as "expiresAt"
     from ${f.f}.space_invitation invitation join ${f.f}."user" person on person.id = invitation.invited_by
     where invitation.space_id = $1 and invitation.expires_at > now()
     order by invitation.created_at desc`,[a.space.id]);return b.map(({email:a,expiresAt:b,...c})=>({...c,...null===a?{}:{email:a},expiresAt:b.toISOString()}))}async function l(a){let{rows:b}=await (0,h.f)().pool.query(`select invitation.space_id as "spaceId", space.name as "spaceName", invitation.role, invitation.email, person.name as "invitedBy"
     from ${f.f}.space_invitation invitation
       join ${f.f}.organization space on space.id = invitation.space_id
       join ${f.f}."user" person on person.id = invitation.invited_by
     where invitation.secret_hash = $1 and invitation.expires_at > now()`,[m(a)]);return b[0]&&{...b[0],email:b[0].email??void 0}}[f,g]=i.then?(await i)():i,e.V;let m=a=>(0,d.createHash)("sha256").update(a).digest();a.s(["I",0,l,"J",0,k,"F",0,({email:a},b)=>void 0===a||a===b.email.toLowerCase(),"j",0,j]),c()}catch(a){c(a)}},!1)];

//# sourceMappingURL=apps_web_features_spaces_people_ts_0vwidox-94c4j._.js.map