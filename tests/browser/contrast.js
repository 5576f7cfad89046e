// Gives every visible text whose contrast with what lies behind it is under WCAG AA, as {text: ratio and colours}.
() => {
  const parse = c => { const m = c.match(/rgba?\(([^)]+)\)/); if(!m) { const k=c.match(/color\(srgb ([^)]+)\)/); if(k){const v=k[1].split(/[ \/]+/).map(Number); return [v[0]*255,v[1]*255,v[2]*255,v[3]??1]} return [0,0,0,0]; } const v = m[1].split(/[ ,\/]+/).map(Number); return [v[0],v[1],v[2],v[3]??1]; };
  const over=(a,b)=>[0,1,2].map(i=>a[i]*a[3]+b[i]*(1-a[3])).concat([1]);
  const lum=c=>{const f=[0,1,2].map(i=>{const x=c[i]/255;return x<=.03928?x/12.92:((x+.055)/1.055)**2.4});return .2126*f[0]+.7152*f[1]+.0722*f[2]};
  const bg=e=>{let st=[];while(e){st.push(parse(getComputedStyle(e).backgroundColor));e=e.parentElement} let c=[255,255,255,1];for(const s of st.reverse())c=over(s,c);return c};
  const out={};
  const w=document.createTreeWalker(document.body,NodeFilter.SHOW_TEXT);
  while(w.nextNode()){const t=w.currentNode,e=t.parentElement;if(!t.textContent.trim()||!e.offsetParent)continue;const s=getComputedStyle(e);if(s.visibility!='visible'||e.closest('svg,script,style'))continue;
    const r=e.getBoundingClientRect(); if(r.width<2||r.height<2)continue;
    const b=bg(e),f=over(parse(s.webkitTextFillColor||s.color),b);const L1=lum(f),L2=lum(b);const k=(Math.max(L1,L2)+.05)/(Math.min(L1,L2)+.05);
    const size=parseFloat(s.fontSize),big=size>=24||(size>=18.66&&+s.fontWeight>=700);
    if(k<(big?3:4.5))out[t.textContent.trim().slice(0,40)]=k.toFixed(2)+' '+s.color+' on '+b.map(Math.round).slice(0,3);}
  return out;
}
