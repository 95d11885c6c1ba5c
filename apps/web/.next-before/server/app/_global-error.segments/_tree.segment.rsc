:HL["/_next/static/chunks/0anqgqcscrc5s.css","style"]
1:[["children",{"s":"__PAGE__","h":176}]]
0:{"b":"hp_QXfL3k4AwTgicTok11","t":{"t":{"s":"","h":80,"c":"$Q1"}}}
